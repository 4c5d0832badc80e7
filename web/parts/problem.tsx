import type { ApiError } from '../lib/api.ts';

export function Problem({
  error,
  retry,
}: {
  readonly error: ApiError | undefined;
  readonly retry?: () => void;
}) {
  if (error === undefined) return null;
  return (
    <div class="problem" role="alert">
      <p>
        <strong>{error.title}.</strong> {isSame(error) ? '' : error.detail}
      </p>
      {error.remedy !== '' && <p>{error.remedy}</p>}
      {retry !== undefined && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** Some answers say nothing but their title. */
const isSame = ({ title, detail }: ApiError): boolean => title.toLowerCase() === detail.toLowerCase();
