import { expect, test } from 'bun:test';
import { cliMarkdown, cliPage } from '../../scripts/generate-cli-docs.ts';
import { configurationMarkdown, configurationPage } from '../../scripts/generate-config-docs.ts';
import { settings } from '../../src/config/settings.ts';

test('the page of all settings is what the settings table makes, and names each one', async () => {
  const page = await Bun.file(configurationPage).text();
  expect(page).toBe(configurationMarkdown());
  for (const { env } of Object.values(settings)) expect(page).toContain(`\`${env}\``);
});

test('the page of all commands is what the command line makes', async () => {
  expect(await Bun.file(cliPage).text()).toBe(cliMarkdown());
});

test('every command of the page fits 80 columns and ends with an example', () => {
  const helps = cliMarkdown().matchAll(/```text\n([^`]*(?:`[^`]+`[^`]*)*?)\n```/g);
  const texts = [...helps].map(([, text = '']) => text);
  expect(texts.length).toBeGreaterThan(20);
  for (const text of texts) {
    expect(text).toMatch(/\nExamples?:\n {2}tributary /);
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  }
});
