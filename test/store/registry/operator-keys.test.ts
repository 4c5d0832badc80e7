import { expect, test } from 'bun:test';
import { hashToken } from '../../../src/model/token.ts';
import { addOperatorKey } from '../../../src/store/registry/add-operator-key.ts';
import { findOperatorKey } from '../../../src/store/registry/find-operator-key.ts';
import { listOperatorKeys } from '../../../src/store/registry/list-operator-keys.ts';
import { revokeOperatorKey } from '../../../src/store/registry/revoke-operator-key.ts';
import { rejectionOf, withDatabase } from '../with-database.ts';

test('an operator key is found by its hash until it is revoked', () =>
  withDatabase({}, async ({ pool }) => {
    const hash = hashToken('key one');
    const added = await addOperatorKey(pool, 'one', hash);
    expect(await findOperatorKey(pool, hash)).toEqual(added);
    expect(await findOperatorKey(pool, hashToken('another'))).toBeUndefined();
    const taken = await rejectionOf(addOperatorKey(pool, 'one', hashToken('another')));
    expect(taken).toMatchObject({ code: 'operator_key_exists' });
    const revoked = await revokeOperatorKey(pool, 'one');
    expect(revoked.revokedAt).toBeDate();
    expect(await revokeOperatorKey(pool, 'one')).toEqual(revoked);
    expect(await findOperatorKey(pool, hash)).toBeUndefined();
    expect(await listOperatorKeys(pool)).toEqual([revoked]);
    const unknown = await rejectionOf(revokeOperatorKey(pool, 'two'));
    expect(unknown).toMatchObject({ code: 'operator_key_not_found' });
  }));
