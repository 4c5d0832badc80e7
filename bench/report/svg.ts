import type { Plot, ResultRow } from '../figures/figure.ts';
import { isMet } from './rows.ts';

const width = 720;
const height = 320;
const margin = { left: 70, right: 16, top: 34, bottom: 44 };
const colours = ['#1f6feb', '#d1242f', '#1a7f37', '#9a6700', '#8250df', '#57606a'];

/** Lines over a common x, as a picture that needs no script and no font of its own. */
export function linesSvg({ title, xLabel, yLabel, lines }: Plot): string {
  const points = lines.flatMap((line) => line.points);
  const maxX = niceMax(Math.max(...points.map(([x]) => x), 0));
  const maxY = niceMax(Math.max(...points.map(([, y]) => y), 0));
  const x = (value: number) => margin.left + (value / maxX) * (width - margin.left - margin.right);
  const y = (value: number) =>
    height - margin.bottom - (value / maxY) * (height - margin.top - margin.bottom);
  const drawn = lines.map((line, n) => {
    const path = line.points.map(([px, py]) => `${round(x(px))},${round(y(py))}`).join(' ');
    return `<polyline fill="none" stroke="${colourOf(n)}" stroke-width="1.5" points="${path}"/>`;
  });
  const legend = lines.map((line, n) => {
    const left = margin.left + 8 + n * 130;
    return `<text x="${left}" y="${margin.top + 12}" fill="${colourOf(n)}">${xmlText(line.label)}</text>`;
  });
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  const grid = ticks.flatMap((share) => [
    `<line x1="${margin.left}" x2="${width - margin.right}" y1="${round(y(share * maxY))}" y2="${round(y(share * maxY))}" stroke="#d0d7de"/>`,
    `<text x="${margin.left - 6}" y="${round(y(share * maxY)) + 4}" text-anchor="end">${short(share * maxY)}</text>`,
    `<text x="${round(x(share * maxX))}" y="${height - margin.bottom + 16}" text-anchor="middle">${short(share * maxX)}</text>`,
  ]);
  return svg(height, [
    heading(title),
    ...grid,
    `<text x="${width / 2}" y="${height - 8}" text-anchor="middle">${xmlText(xLabel)}</text>`,
    `<text x="14" y="${height / 2}" text-anchor="middle" transform="rotate(-90 14 ${height / 2})">${xmlText(yLabel)}</text>`,
    ...drawn,
    ...legend,
  ]);
}

/** Every ratio as a bar with its spread, and a mark at what is wanted. */
export function ratiosSvg(title: string, rows: readonly ResultRow[]): string {
  const withRatio = rows.filter((row) => row.ratio !== undefined);
  const lineHeight = 30;
  const labelWidth = 230;
  const most = niceMax(
    Math.max(1, ...withRatio.map(({ ratio, wanted }) => Math.max(ratio?.max ?? 0, wanted?.value ?? 0))),
  );
  const x = (ratio: number) => round(labelWidth + (ratio / most) * (width - labelWidth - 40));
  const bars = withRatio.flatMap((row, n) => {
    const { label, ratio, wanted } = row;
    if (ratio === undefined) return [];
    const top = margin.top + 8 + n * lineHeight;
    const met = wanted === undefined || isMet(row, wanted);
    const mark =
      wanted?.of === 'ratio'
        ? `<line x1="${x(wanted.value)}" x2="${x(wanted.value)}" y1="${top - 3}" y2="${top + 21}" stroke="#24292f" stroke-dasharray="3 2"/>`
        : '';
    return [
      `<text x="${labelWidth - 8}" y="${top + 13}" text-anchor="end">${xmlText(label)}</text>`,
      `<rect x="${labelWidth}" y="${top}" width="${Math.max(1, x(ratio.median) - labelWidth)}" height="18" fill="${met ? '#1a7f37' : '#d1242f'}" fill-opacity="0.75"/>`,
      `<line x1="${x(ratio.min)}" x2="${x(ratio.max)}" y1="${top + 9}" y2="${top + 9}" stroke="#24292f" stroke-width="2"/>`,
      mark,
      `<text x="${x(Math.max(ratio.max, ratio.median)) + 6}" y="${top + 13}">${ratio.median.toFixed(2)}</text>`,
    ];
  });
  return svg(margin.top + 16 + withRatio.length * lineHeight, [heading(title), ...bars]);
}

function svg(tall: number, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${tall}" font-family="sans-serif" font-size="12">
<rect width="${width}" height="${tall}" fill="#ffffff"/>
${parts.filter((part) => part !== '').join('\n')}
</svg>
`;
}

function heading(title: string): string {
  return `<text x="${width / 2}" y="20" text-anchor="middle" font-size="14" font-weight="bold">${xmlText(title)}</text>`;
}

/** The next round number, as an axis ends at; 1 for nothing. */
export function niceMax(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((factor) => factor * power >= value) ?? 10;
  return step * power;
}

function short(value: number): string {
  if (value >= 1_000_000) return `${round(value / 1_000_000)}M`;
  if (value >= 10_000) return `${round(value / 1_000)}k`;
  return String(round(value));
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function colourOf(n: number): string {
  return colours[n % colours.length] ?? '#000000';
}

function xmlText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
