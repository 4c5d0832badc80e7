import type { QueryResult, QueryResultRow } from 'pg';

/** What a statement needs of `pg`: a pool or one checked-out client. */
export interface Queryable {
  query<R extends QueryResultRow>(query: {
    name?: string;
    text: string;
    values?: unknown[];
  }): Promise<QueryResult<R>>;
}
