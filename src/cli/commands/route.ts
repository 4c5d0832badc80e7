import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { defineGroup } from '../define-command.ts';
import { addRouteAdd } from './route-add.ts';
import { addRouteBackfill } from './route-backfill.ts';
import { addRouteDisable, addRouteEnable, addRouteRemove, addRouteUpdate } from './route-change.ts';
import { addRouteList, addRouteShow } from './route-look.ts';
import { addRouteRotate } from './route-rotate.ts';
import { addRouteTest } from './route-test.ts';

export function addRouteCommands(program: Command, context: CliContext): void {
  const route = defineGroup(program, 'route', {
    summary: 'send accepted messages on: webhooks, MQTT, NATS',
    examples: ['route add acme alerts --webhook https://example.org/hook', 'route show acme alerts'],
  });
  addRouteAdd(route, context);
  addRouteList(route, context);
  addRouteShow(route, context);
  addRouteUpdate(route, context);
  addRouteEnable(route, context);
  addRouteDisable(route, context);
  addRouteRemove(route, context);
  addRouteRotate(route, context);
  addRouteTest(route, context);
  addRouteBackfill(route, context);
}
