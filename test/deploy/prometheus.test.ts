import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { Parse } from 'typebox/value';
import { dashboardFile, dashboardJson } from '../../scripts/generate-dashboard.ts';
import { metricsMarkdown, metricsPage } from '../../scripts/generate-metrics-docs.ts';
import { cataloguedRoles, catalogueOf } from '../../scripts/metrics-catalogue.ts';
import { roleNames } from '../../src/cli/role-names.ts';
import { tempFolder } from '../harness/temp-folder.ts';
import { deployFolder, promtool, runPromtool } from './promtool.ts';

const folder = join(deployFolder, 'prometheus');

const rulesSchema = Type.Object({
  groups: Type.Array(
    Type.Object({
      rules: Type.Array(
        Type.Object({
          alert: Type.String(),
          expr: Type.String(),
          labels: Type.Object({ severity: Type.Union([Type.Literal('critical'), Type.Literal('warning')]) }),
          annotations: Type.Object({ summary: Type.String(), runbook: Type.String() }),
        }),
      ),
    }),
  ),
});

const testsSchema = Type.Object({
  tests: Type.Array(
    Type.Object({
      alert_rule_test: Type.Array(
        Type.Object({ alertname: Type.String(), exp_alerts: Type.Array(Type.Unknown()) }),
      ),
    }),
  ),
});

const scrapeSchema = Type.Object({
  scrape_configs: Type.Array(
    Type.Object({
      job_name: Type.Literal('tributary'),
      static_configs: Type.Array(Type.Object({ labels: Type.Object({ role: Type.String() }) })),
    }),
  ),
});

const dashboardSchema = Type.Object({
  panels: Type.Array(
    Type.Object({
      id: Type.Integer(),
      type: Type.String(),
      title: Type.String(),
      gridPos: Type.Object({ x: Type.Integer(), y: Type.Integer(), w: Type.Integer(), h: Type.Integer() }),
      targets: Type.Optional(Type.Array(Type.Object({ expr: Type.String() }))),
    }),
  ),
});

function yaml(file: string): unknown {
  return Bun.YAML.parse(readFileSync(join(folder, file), 'utf8'));
}

const rules: Static<typeof rulesSchema>['groups'][number]['rules'] = Parse(
  rulesSchema,
  yaml('alerts.yml'),
).groups.flatMap((group) => group.rules);
const panels = Parse(dashboardSchema, JSON.parse(readFileSync(dashboardFile, 'utf8'))).panels;
const dashboardQueries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

/** Names of all series that roles export, as queries name them. */
const exported = new Set(
  cataloguedRoles
    .flatMap((role) => catalogueOf(role))
    .flatMap(({ name, type }) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
);

/** What looks like a metric: not a label (those stand in braces or after `by`), not a function. */
function metricsIn(query: string): string[] {
  return query.match(/\b(?:tributary|process|nodejs)_[a-z0-9_]+/g) ?? [];
}

describe.skipIf(promtool === undefined)('promtool', () => {
  test('takes the configuration and the rules', async () => {
    const config = await runPromtool(['check', 'config', 'prometheus/prometheus.yml']);
    expect(config.said).toContain('SUCCESS');
    expect(config.code).toBe(0);
  });

  test('every alert fires when it should and at no other time', async () => {
    const files = readdirSync(join(folder, 'tests')).map((file) => join('prometheus/tests', file));
    const result = await runPromtool(['test', 'rules', ...files]);
    expect(result.said).not.toContain('FAILED');
    expect(result.code).toBe(0);
  });

  test('understands every query of the dashboard', async () => {
    using temp = tempFolder('queries');
    const grouped = dashboardQueries.map((expr, index) => ({
      record: `query:${index}`,
      expr: expr.replaceAll('$__rate_interval', '1m'),
    }));
    const file = join(temp.path, 'queries.json');
    await Bun.write(file, JSON.stringify({ groups: [{ name: 'dashboard', rules: grouped }] }));
    const result = await runPromtool(['check', 'rules', file]);
    expect(result.said).toContain(`${dashboardQueries.length} rules found`);
    expect(result.code).toBe(0);
  });
});

test('every role is scraped', () => {
  const config = Parse(scrapeSchema, yaml('prometheus.yml'));
  const scraped = config.scrape_configs.flatMap((each) =>
    each.static_configs.map(({ labels }) => labels.role),
  );
  expect(scraped.toSorted()).toEqual([...roleNames].toSorted());
});

test('every metric of the rules and of the dashboard is one that a role exports', () => {
  const queries = [...rules.map(({ expr }) => expr), ...dashboardQueries];
  const named = queries.flatMap(metricsIn);
  expect(named.length).toBeGreaterThan(50);
  expect(named.filter((name) => !exported.has(name))).toEqual([]);
});

test('each alert has a test in which it fires and one in which it does not, and a way out in the docs', () => {
  const tested = Parse(testsSchema, yaml('tests/alerts.test.yml')).tests.flatMap(
    (each) => each.alert_rule_test,
  );
  const page = readFileSync(join(deployFolder, '../docs/observability.md'), 'utf8');
  for (const { alert, annotations } of rules) {
    const expectations = tested.filter(({ alertname }) => alertname === alert);
    expect([alert, expectations.some(({ exp_alerts }) => exp_alerts.length > 0)]).toEqual([alert, true]);
    expect([alert, expectations.some(({ exp_alerts }) => exp_alerts.length === 0)]).toEqual([alert, true]);
    expect(annotations.runbook).toBe(`docs/observability.md#${alert.toLowerCase()}`);
    expect(page).toContain(`\n### ${alert}\n`);
  }
  const headings = page.match(/(?<=\n### )Tributary\w+/g) ?? [];
  expect(headings.toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted());
});

test('the dashboard is what its panels make, and no panel lies on another', () => {
  expect(JSON.parse(readFileSync(dashboardFile, 'utf8'))).toEqual(JSON.parse(dashboardJson()));
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const taken = new Set<string>();
  for (const { title, gridPos } of panels) {
    expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
        expect([title, taken.has(`${x},${y}`)]).toEqual([title, false]);
        taken.add(`${x},${y}`);
      }
    }
  }
});

test('the page of all metrics is what the roles register', async () => {
  expect(await Bun.file(metricsPage).text()).toBe(metricsMarkdown());
});
