/**
 * Writes `deploy/grafana/tributary.json` from the panels: `bun scripts/generate-dashboard.ts`, then `npm run format`.
 * A test fails when the file does not say what this makes.
 */
import { fileURLToPath } from 'node:url';
import { dashboardRows, type Panel } from './dashboard-panels.ts';

export const dashboardFile = fileURLToPath(new URL('../deploy/grafana/tributary.json', import.meta.url));

// biome-ignore lint/suspicious/noTemplateCurlyInString: not ours to fill in
const datasource = { type: 'prometheus', uid: '${datasource}' };
const columns = 24;
const heights = { stat: 4, timeseries: 8 } as const;

export function dashboardJson(): string {
  const dashboard = {
    uid: 'tributary',
    title: 'Tributary',
    tags: ['tributary'],
    description: 'Telemetry from the doors to the database and on to routes: see docs/observability.md.',
    editable: true,
    graphTooltip: 1,
    refresh: '10s',
    schemaVersion: 39,
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    templating: {
      list: [{ name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus' }],
    },
    panels: placed(),
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

/** From left to right and from top to bottom, each row of the dashboard under its title. */
function placed(): object[] {
  const panels: object[] = [];
  let y = 0;
  for (const { title, panels: ofRow } of dashboardRows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: columns, h: 1 },
      panels: [],
    });
    y += 1;
    let x = 0;
    let height = 0;
    for (const panel of ofRow) {
      if (x + panel.width > columns) {
        x = 0;
        y += height;
      }
      height = heights[panel.kind];
      panels.push(panelJson(panel, panels.length + 1, { x, y, w: panel.width, h: height }));
      x += panel.width;
    }
    y += height;
  }
  return panels;
}

function panelJson(
  { title, about, kind, unit, queries, redFrom }: Panel,
  id: number,
  gridPos: object,
): object {
  const steps = [
    { color: redFrom === undefined ? 'text' : 'green', value: null },
    ...(redFrom === undefined ? [] : [{ color: 'red', value: redFrom }]),
  ];
  const options =
    kind === 'stat'
      ? { reduceOptions: { calcs: ['lastNotNull'] }, textMode: title === 'Durability' ? 'name' : 'value' }
      : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } };
  return {
    id,
    type: kind,
    title,
    description: about,
    datasource,
    gridPos,
    fieldConfig: { defaults: { unit, min: 0, thresholds: { mode: 'absolute', steps } }, overrides: [] },
    options,
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource,
      expr,
      legendFormat: legend === '' ? '__auto' : legend,
    })),
  };
}

if (import.meta.main) await Bun.write(dashboardFile, dashboardJson());
