import { parseArgs } from 'node:util';
import type { Effort, Figure } from './figures/figure.ts';

export interface BenchOptions {
  readonly effort: Effort;
  readonly figures: readonly Figure[];
  readonly json: boolean;
  readonly profile: boolean;
  /** Measure nothing, put the last run's figures into the docs. */
  readonly publish: boolean;
  readonly help: boolean;
}

/** A command line that cannot be understood; the message says what would be. */
export class BenchUsageError extends Error {
  override readonly name = 'BenchUsageError';
}

export const efforts = {
  quick: { quick: true, rounds: 2, measureMs: 1_000, warmUpMs: 500, backlog: 20_000 },
  full: { quick: false, rounds: 5, measureMs: 6_000, warmUpMs: 2_000, backlog: 200_000 },
} as const satisfies Record<string, Effort>;

/** @throws BenchUsageError */
export function parseBenchOptions(argv: readonly string[], figures: readonly Figure[]): BenchOptions {
  const { values } = parsed(argv);
  const [beside] = Object.keys(values).filter((name) => name !== 'publish' && name !== 'help');
  if (values.publish && beside !== undefined)
    throw new BenchUsageError(
      `--publish --${beside}: --publish measures nothing, it puts the last run's figures into the docs. Run without it first, then with it alone.`,
    );
  const effort = values.quick ? efforts.quick : efforts.full;
  return {
    effort: values.rounds === undefined ? effort : { ...effort, rounds: parseRounds(values.rounds) },
    figures: chosen(figures, values),
    json: values.json ?? false,
    profile: values.profile ?? false,
    publish: values.publish ?? false,
    help: values.help ?? false,
  };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        quick: { type: 'boolean' },
        all: { type: 'boolean' },
        only: { type: 'string' },
        rounds: { type: 'string' },
        json: { type: 'boolean' },
        profile: { type: 'boolean' },
        publish: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new BenchUsageError(error instanceof Error ? error.message : String(error));
  }
}

function parseRounds(text: string): number {
  const rounds = Number(text);
  if (Number.isInteger(rounds) && rounds >= 1 && rounds <= 100) return rounds;
  throw new BenchUsageError(`--rounds ${text}: give a whole number from 1 to 100`);
}

interface Choice {
  readonly only?: string | undefined;
  readonly all?: boolean | undefined;
  readonly quick?: boolean | undefined;
}

function chosen(figures: readonly Figure[], { only, all, quick }: Choice): Figure[] {
  if (only === undefined)
    return figures.filter(
      ({ isLong, isSlow }) => all === true || (isLong !== true && !(quick === true && isSlow === true)),
    );
  const names = only.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !figures.some((figure) => figure.name === name));
  if (unknown !== undefined) {
    const known = figures.map(({ name }) => name).join(', ');
    throw new BenchUsageError(`--only ${unknown}: there is no such figure; there are ${known}`);
  }
  return figures.filter(({ name }) => names.includes(name));
}

export function usage(figures: readonly Figure[]): string {
  const names = figures.map(
    ({ name, title, isLong, isSlow }) =>
      `  ${name.padEnd(14)}${title}${isLong ? ' (long)' : isSlow ? ' (not with --quick)' : ''}`,
  );
  return `npm run bench -- [options]
npm run bench -- soak [--minutes 30] [--door single|batch] [--rate n]

  --quick        under three minutes: short rounds, coarse figures
  --only a,b     these figures only
  --all          the long ones, too (an hour and more)
  --rounds n     rounds of each comparison
  --json         the report as JSON on standard output
  --publish      no run: the last one's figures go into the docs
  --profile      processor profiles of the roles in bench/results/profiles/

Figures:
${names.join('\n')}
`;
}
