import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';

const questionSchema = Type.Object({
  /** This tenant's counts. */
  tenant: Type.Optional(Type.String()),
  /** How many messages of each tenant. */
  tenants: Type.Optional(Type.Boolean()),
});

/** What a question to all roles asks for beside what each says of itself; a role of another version passes it over. */
export type RoleQuestion = Readonly<Static<typeof questionSchema>>;

/** Nothing more than each says of itself. */
export const plainQuestion: RoleQuestion = {};

export function parseQuestion(data: Uint8Array): RoleQuestion {
  if (data.length === 0) return plainQuestion;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(data));
    return Check(questionSchema, value) ? value : plainQuestion;
  } catch {
    return plainQuestion;
  }
}

/** What a role counts by tenant. */
export interface CountsByTenant {
  /** What it tells of one; undefined: it has not heard of it. */
  of(tenantId: string): object | undefined;
  /** Messages in or settled, of each that it has heard of lately. */
  totals(): readonly (readonly [string, number])[];
  readonly kind: 'in' | 'settled';
}

/** An answer is to fit into one message of NATS, whoever sends here. */
const mostTenants = 500;

/** The members that answer `question`; none when it asks for none. */
export function answerByTenant(
  { tenant, tenants }: RoleQuestion,
  counts: CountsByTenant,
): Readonly<Record<string, unknown>> {
  return {
    ...(tenant === undefined ? {} : { tenant: { ...counts.of(tenant), tenantId: tenant } }),
    ...(tenants === true ? busiest(counts) : {}),
  };
}

function busiest({ kind, totals }: CountsByTenant) {
  const all = [...totals()].sort(([, a], [, b]) => b - a);
  return {
    tenants: { kind, counts: all.slice(0, mostTenants) },
    tenantsLeftOut: Math.max(0, all.length - mostTenants),
  };
}
