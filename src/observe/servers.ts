import { Gauge, type Registry } from 'prom-client';

export interface ServersToWatch {
  /** Each asks now, in bounded time, and never throws. */
  readonly natsAnswers: () => Promise<boolean>;
  readonly databaseAnswers: () => Promise<boolean>;
  /** The class alone, such as `process-crash-safe`; undefined while it is not known. */
  readonly durabilityClass: () => string | undefined;
}

/** Whether a role reaches the servers that it stands on, asked at each scrape. */
export function registerServerMetrics(registry: Registry, servers: ServersToWatch): void {
  const registers = [registry];
  const answering = (name: string, server: string, ask: () => Promise<boolean>) =>
    new Gauge({
      name,
      help: `1 when ${server} answered this role within a second of the scrape, else 0.`,
      registers,
      async collect() {
        this.set((await ask()) ? 1 : 0);
      },
    });
  answering('tributary_nats_up', 'NATS', servers.natsAnswers);
  answering('tributary_database_up', 'PostgreSQL', servers.databaseAnswers);
  new Gauge({
    name: 'tributary_durability_info',
    help: 'Always 1; its label says what an accepted message withstands. Absent while that is not known.',
    labelNames: ['class'],
    registers,
    collect() {
      this.reset();
      const name = servers.durabilityClass();
      if (name !== undefined) this.set({ class: name }, 1);
    },
  });
}
