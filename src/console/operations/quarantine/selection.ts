import Type, { type Static } from 'typebox';
import { reasons } from '../../../model/reasons.ts';
import type { QuarantineSelection } from '../../../store/quarantine/selection.ts';
import { closed, deviceIdSchema, oneOf } from '../../schemas.ts';
import { commonPartsOf, commonSelection, requireSome } from '../selection.ts';

export const reasonSchema = oneOf(Object.keys(reasons), 'why it was not accepted');

/** Members of a body. */
export const selectionMembers = {
  ...commonSelection,
  reason: Type.Optional(reasonSchema),
  device_id: Type.Optional(deviceIdSchema),
};

const selectionSchema = closed(selectionMembers);

/** All that meet every part. @throws Problem when nothing says which */
export function selectionOf(
  { reason, device_id: deviceId, all, ...common }: Static<typeof selectionSchema>,
  tenantId: string | undefined,
): QuarantineSelection {
  const parts: QuarantineSelection = { reason, deviceId, ...commonPartsOf(common) };
  const whatToSay = 'say which messages: by ids, reason, device_id or before, or all: true';
  return { ...requireSome(parts, all, whatToSay), tenantId };
}
