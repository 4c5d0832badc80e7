import { integer, setting } from './setting.ts';

/** How many processes, under `up`, and which of them come first. */
export const processSettings = {
  gateways: setting({
    env: 'TRIBUTARY_GATEWAYS',
    schema: integer(0, 64),
    default: 0,
    about: 'Gateways that `up` runs on the one HTTP port; 0: one for every four cores.',
  }),
  workers: setting({
    env: 'TRIBUTARY_WORKERS',
    schema: integer(0, 64),
    default: 0,
    about: 'Workers that `up` runs; 0: one for every two cores.',
  }),
  deliveries: setting({
    env: 'TRIBUTARY_DELIVERIES',
    schema: integer(1, 64),
    default: 1,
    about: 'Delivery processes that `up` runs.',
  }),
  niceness: setting({
    env: 'TRIBUTARY_NICENESS',
    schema: integer(0, 19),
    default: 5,
    about:
      'How far workers and deliveries stand back for the doors where processors are short; 0: not at all.',
  }),
};
