export { inTableWords, JsonText, toJson, toJsonLines } from '../../lib/to-json.ts';
