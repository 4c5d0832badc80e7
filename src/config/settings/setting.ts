import Type, { type Static, type TSchema } from 'typebox';

export interface Setting<S extends TSchema = TSchema> {
  readonly env: string;
  readonly schema: S;
  /** Undefined: optional, absent unless set. */
  readonly default: Static<S> | undefined;
  readonly about: string;
  /** Redacted wherever it could be printed. */
  readonly secret?: boolean;
}

export const setting = <S extends TSchema>(s: Setting<S>): Setting<S> => s;

export const integer = (minimum: number, maximum: number) => Type.Integer({ minimum, maximum });
export const text = Type.String({ minLength: 1 });
export const port = integer(0, 65_535);
export const rate = Type.Number({ minimum: 0.001, maximum: 10_000_000 });
export const burst = integer(1, 100_000_000);

export const KiB = 1024;
export const MiB = 1024 * KiB;
/** In ms. */
export const day = 86_400_000;
