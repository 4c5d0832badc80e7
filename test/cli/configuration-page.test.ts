import { expect, test } from 'bun:test';
import { configurationMarkdown, configurationPage } from '../../scripts/generate-config-docs.ts';

test('the page of all settings is what the settings table makes', async () => {
  expect(await Bun.file(configurationPage).text()).toBe(configurationMarkdown());
});
