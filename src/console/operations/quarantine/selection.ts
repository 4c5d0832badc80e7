import Type, { type Static } from 'typebox';
import { reasons } from '../../../model/reasons.ts';
import type { QuarantineSelection } from '../../../store/quarantine/selection.ts';
import { invalidInput } from '../../problem.ts';
import { closed, deviceIdSchema, oneOf, timeSchema } from '../../schemas.ts';

export const reasonSchema = oneOf(Object.keys(reasons), 'why it was not accepted');

/** As the lists show it, or as text. A double holds 15 digits. */
export const listedId = Type.Union([
  Type.Integer({ minimum: 1, maximum: 999_999_999_999_999 }),
  Type.String({ pattern: '^[0-9]{1,15}$' }),
]);

/** Members of a body. */
export const selectionMembers = {
  ids: Type.Optional(Type.Array(listedId, { minItems: 1, maxItems: 1_000, description: 'these' })),
  reason: Type.Optional(reasonSchema),
  device_id: Type.Optional(deviceIdSchema),
  before: Type.Optional(timeSchema),
  all: Type.Optional(Type.Literal(true, { description: 'all there are; needed where nothing else is said' })),
};

const selectionSchema = closed(selectionMembers);

/** All that meet every part. @throws Problem when nothing says which */
export function selectionOf(
  { ids, reason, device_id: deviceId, before, all }: Static<typeof selectionSchema>,
  tenantId: string | undefined,
): QuarantineSelection {
  const parts = {
    reason,
    deviceId,
    ids: ids?.map(BigInt),
    beforeMs: before === undefined ? undefined : Date.parse(before),
  };
  const isOpen = Object.values(parts).every((part) => part === undefined);
  if (isOpen && all !== true)
    throw invalidInput('say which messages: by ids, reason, device_id or before, or all: true');
  return { ...parts, tenantId };
}
