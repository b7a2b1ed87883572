// What `obscura/client` offers.
export { Client, connect, socketUrl, type Session } from './client.js';
export { HttpClient } from './http.js';
export type { Subscription, Watchable } from './listeners.js';
export {
  ClientError,
  type Changes,
  type ClientOptions,
  type ConnectionState,
  type Credentials,
  type ErrorCode,
  type Notice,
  type Patch,
  type SetOptions,
  type SetResult,
  type SettingKey,
  type Settings,
  type SettingValue,
  type SocketLike,
  type Status,
} from './types.js';
