// The ports of the servers, which must not get in each other's way.
import { defineRule, Issue } from './define.js';
import { rtspEnabled, rtspPort, rtspsEnabled, rtspsPort } from './rtsp.js';
import { httpPort, httpServerEnabled, httpsPort, httpsServerEnabled } from './webserver.js';

export const portsDiffer = defineRule(
  [
    rtspPort,
    rtspEnabled,
    rtspsPort,
    rtspsEnabled,
    httpPort,
    httpServerEnabled,
    httpsPort,
    httpsServerEnabled,
  ],
  (rtsp, rtspOn, rtsps, rtspsOn, http, httpOn, https, httpsOn) => {
    const taken = new Map<number, string>();
    const ports: readonly (readonly [string, number, boolean])[] = [
      ['httpPort', http, httpOn],
      ['httpsPort', https, httpsOn],
      ['rtspPort', rtsp, rtspOn],
      ['rtspsPort', rtsps, rtspsOn],
    ];
    for (const [key, port, used] of ports) {
      const other = used ? taken.get(port) : undefined;
      if (other !== undefined)
        return new Issue(key, `Value must differ from ${other}, which is ${String(port)} too`);
      if (used) taken.set(port, key);
    }
    return undefined;
  },
);
