import type { ComponentChildren } from 'preact';

export interface Column<T> {
  readonly title: string;
  readonly cell: (row: T) => ComponentChildren;
  readonly align?: 'right';
  /** Left out where the window is narrow. */
  readonly wideOnly?: boolean;
  readonly mono?: boolean;
  /** Long words that may take several lines. */
  readonly text?: boolean;
  /** No wider than it has to be. */
  readonly narrow?: boolean;
}

export interface TableProps<T> {
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[] | undefined;
  readonly keyOf: (row: T) => string;
  readonly empty: ComponentChildren;
  /** Why there are no rows yet; it is told elsewhere. */
  readonly error?: unknown;
  /** How many rows to keep room for while they load. */
  readonly placeholderRows?: number;
}

export function Table<T>({
  caption,
  columns,
  rows,
  keyOf,
  empty,
  placeholderRows = 6,
  error,
}: TableProps<T>) {
  if (rows === undefined && error !== undefined) return null;
  if (rows !== undefined && rows.length === 0) return <>{empty}</>;
  return (
    // Focusable, since wide tables scroll sideways.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reached by keyboard
    <section class="table-scroll" tabIndex={0} aria-label={caption}>
      <table aria-busy={rows === undefined}>
        <caption class="sr-only">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.title} scope="col" class={classOf({ ...column, mono: false })}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows === undefined
            ? Array.from({ length: placeholderRows }, (_, row) => (
                <PlaceholderRow key={row} columns={columns} />
              ))
            : rows.map((row) => (
                <tr key={keyOf(row)}>
                  {columns.map((column) => (
                    <td key={column.title} class={classOf(column)}>
                      {column.cell(row)}
                    </td>
                  ))}
                </tr>
              ))}
        </tbody>
      </table>
    </section>
  );
}

function PlaceholderRow<T>({ columns }: { readonly columns: readonly Column<T>[] }) {
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a row takes no focus
    <tr aria-hidden="true">
      {columns.map((column) => (
        <td key={column.title} class={classOf(column)}>
          <span class="placeholder" />
        </td>
      ))}
    </tr>
  );
}

function classOf<T>(column: Column<T>): string {
  return [
    column.align === 'right' ? 'right' : '',
    column.wideOnly === true ? 'wide-only' : '',
    column.mono === true ? 'mono' : '',
    column.text === true ? 'text' : '',
    column.narrow === true ? 'narrow' : '',
  ]
    .filter((each) => each !== '')
    .join(' ');
}
