import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { defineGroup } from '../define-command.ts';
import { addDeviceAdd } from './device-add.ts';
import { addDeviceDelete, addDeviceLimits, addDeviceRevoke, addDeviceRotate } from './device-change.ts';
import { addDeviceGaps } from './device-gaps.ts';
import { addDeviceImport } from './device-import.ts';
import { addDeviceList, addDeviceShow } from './device-look.ts';

export function addDeviceCommands(program: Command, context: CliContext): void {
  const device = defineGroup(program, 'device', {
    summary: 'register devices and look after them',
    examples: ['device add acme sensor-1 --site plant-1', 'device list --tenant acme'],
  });
  addDeviceAdd(device, context);
  addDeviceList(device, context);
  addDeviceShow(device, context);
  addDeviceGaps(device, context);
  addDeviceRotate(device, context);
  addDeviceRevoke(device, context);
  addDeviceDelete(device, context);
  addDeviceLimits(device, context);
  addDeviceImport(device, context);
}
