/** SQL for the bytes that a row of `quarantine` takes of its budget: its envelope's, and those of what it was mended with. */
export const keptBytes = '(octet_length(envelope) + coalesce(octet_length(mended_payload), 0))';
