// Takes out of texts what nobody may read there. The last line of defence: whoever writes a line should not have put
// it there in the first place.

/** Name and password in an address, as `encodeURIComponent` leaves them. */
const account = /(:\/\/)[\w\-.!~*'()%]*(?::[\w\-.!~*'()%]*)?@/g;

const secretNames =
  'password|passwd|secret|credential|token|cookie|set-cookie|authorization|x-api-key|user-pw';
/** A member of a JSON text whose name says that it is secret. */
const secretMember = new RegExp(`("(?:${secretNames})"\\s*:\\s*)"(?:[^"\\\\]|\\\\.)*"`, 'gi');
/** The same in a query string, a cookie or a launch text. */
const secretPair = new RegExp(`\\b((?:${secretNames})=)[^\\s"&;,\\\\]+`, 'gi');
/** What stands behind the word that says how somebody logs in. */
const loginHeader = /\b(Bearer|Basic) +[\w\-.~+/=]{6,}/g;
/** Our own API tokens, wherever they stand. */
const ownToken = /\bobs_[0-9a-f]+_[0-9a-f]{16,}/g;

/** For messages, which may repeat an address. */
export function withoutAccount(text: string): string {
  return text.replaceAll(account, '$1***@');
}

/** For whole lines of the log. */
export function withoutCredentials(line: string): string {
  return withoutAccount(line)
    .replaceAll(secretMember, '$1"***"')
    .replaceAll(secretPair, '$1***')
    .replaceAll(loginHeader, '$1 ***')
    .replaceAll(ownToken, 'obs_***');
}
