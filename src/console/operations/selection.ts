import Type, { type Static } from 'typebox';
import type { Selection } from '../../store/listings/selection.ts';
import { invalidInput } from '../problem.ts';
import { closed, timeSchema } from '../schemas.ts';

/** As the lists show it, or as text. A double holds 15 digits. */
const listedId = Type.Union([
  Type.Integer({ minimum: 1, maximum: 999_999_999_999_999 }),
  Type.String({ pattern: '^[0-9]{1,15}$' }),
]);

/** Members of every body that says which rows, whatever the table. */
export const commonSelection = {
  ids: Type.Optional(Type.Array(listedId, { minItems: 1, maxItems: 1_000, description: 'these' })),
  before: Type.Optional(timeSchema),
  all: Type.Optional(Type.Literal(true, { description: 'all there are; needed where nothing else is said' })),
};

const commonSchema = closed(commonSelection);

export function commonPartsOf({
  ids,
  before,
}: Static<typeof commonSchema>): Pick<Selection, 'ids' | 'beforeMs'> {
  return { ids: ids?.map(BigInt), beforeMs: before === undefined ? undefined : Date.parse(before) };
}

/** @throws Problem with `whatToSay` when nothing says which */
export function requireSome<S extends Selection>(parts: S, all: true | undefined, whatToSay: string): S {
  const isOpen = Object.values(parts).every((part) => part === undefined);
  if (isOpen && all !== true) throw invalidInput(whatToSay);
  return parts;
}
