import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bearer, startWebServer, type WebServer } from '../../support/webServer.js';

let server: WebServer;
beforeAll(async () => {
  server = await startWebServer();
});
afterAll(() => server.stop());

type Person = keyof WebServer['tokens'];

async function ask(
  method: 'GET' | 'PUT' | 'POST',
  url: string,
  payload?: object,
  person: Person | 'nobody' = 'administrator',
): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const answer = await server.app.inject({
    method,
    url,
    headers: { host: 'device.local:8080', ...(person === 'nobody' ? {} : bearer(server.tokens[person])) },
    ...(payload === undefined ? {} : { payload }),
  });
  return { status: answer.statusCode, body: JSON.parse(answer.body) as Record<string, unknown> };
}

const get = (key: Parameters<WebServer['services']['store']['get']>[0]): unknown =>
  server.services.store.get(key);

describe.each(['/api', '/api/v1'])('the stream settings below %s', (prefix) => {
  it('are read as they were written', async () => {
    const wish = { resolution: { width: 1280, height: 720 }, framerate: 25, quality: 77, format: 'h265' };
    expect(await ask('PUT', `${prefix}/camera/settings`, wish)).toEqual({ status: 200, body: wish });
    expect(await ask('GET', `${prefix}/camera/settings`)).toEqual({ status: 200, body: wish });
    expect(get('streamResolution')).toBe('1280x720');
    expect(await ask('PUT', `${prefix}/camera/settings`, { resolution: '640x480' })).toMatchObject({
      body: { resolution: { width: 640, height: 480 }, framerate: 25 },
    });
  });

  it('change all together or not at all, and say which key was wrong', async () => {
    const before = get('streamResolution');
    const { status, body } = await ask('PUT', `${prefix}/camera/settings`, {
      resolution: { width: 1920, height: 1080 },
      framerate: 0,
    });
    expect(status).toBe(422);
    expect(body).toMatchObject({ error: { code: 'INVALID_VALUE', key: 'streamFramerate' } });
    expect(get('streamResolution')).toBe(before);
    expect((await ask('PUT', `${prefix}/camera/settings`, { zoom: 3 })).status).toBe(400);
  });

  it('are for those with the right', async () => {
    expect((await ask('GET', `${prefix}/camera/settings`, undefined, 'nobody')).status).toBe(401);
    expect((await ask('PUT', `${prefix}/camera/settings`, { framerate: 30 }, 'nobody')).status).toBe(401);
    expect((await ask('PUT', `${prefix}/camera/settings`, { framerate: 30 }, 'viewer')).status).toBe(403);
  });

  it('start and stop with the RTSP server', async () => {
    expect(await ask('POST', `${prefix}/camera/stop`)).toEqual({
      status: 200,
      body: { success: true, rtsp_enabled: false },
    });
    expect(get('rtspEnabled')).toBe(false);
    expect((await ask('GET', '/api/streams')).body).toMatchObject({ rtsp_enabled: false, rtsp_url: '' });
    await ask('POST', `${prefix}/camera/start`);
    expect(get('rtspEnabled')).toBe(true);
    expect((await ask('POST', `${prefix}/camera/stop`, undefined, 'viewer')).status).toBe(403);
  });
});

describe('the camera', () => {
  it.each(['/api/camera/info', '/api/camera/capabilities', '/api/v1/camera/info'])(
    'tells at %s what it is and can do',
    async (url) => {
      expect(await ask('GET', url)).toMatchObject({
        status: 200,
        body: {
          device: { path: 'test', name: 'primary', driver: 'test' },
          camera: { id: 0, name: 'primary', connected: false },
          capabilities: {
            resolutions: expect.arrayContaining([{ width: 1920, height: 1080 }]) as unknown,
            formats: expect.arrayContaining(['NV12']) as unknown,
            frame_rates: expect.arrayContaining([30]) as unknown,
          },
          current_settings: { resolution: '1920x1080', framerate: 60, format: 'NV12' },
        },
      });
      expect((await ask('GET', url, undefined, 'guest')).status).toBe(403);
    },
  );

  it('is switched', async () => {
    expect(await ask('POST', '/api/camera/switch', { camera_id: 1 })).toMatchObject({
      status: 200,
      body: { active_camera: 1 },
    });
    expect(get('cameraSwitch')).toBe(2);
    expect((await ask('GET', '/api/camera/info')).body).toMatchObject({ camera: { name: 'secondary' } });
    expect((await ask('POST', '/api/camera/switch', { camera_id: 2 })).status).toBe(400);
    expect((await ask('POST', '/api/camera/switch', { camera_id: 0 }, 'viewer')).status).toBe(403);
    await ask('POST', '/api/camera/switch', { camera_id: 0 });
  });

  it.each([
    ['config', { default_resolution: '800x600' }, 'streamResolution', '800x600'],
    ['controls', { brightness: 42 }, 'brightness', 42],
    ['encoder', { encoderPreset: 'slow' }, 'encoderPreset', 'slow'],
    ['processing', { pipEnabled: true }, 'pipEnabled', true],
  ] as const)('takes settings at %s', async (part, patch, key, value) => {
    const { status, body } = await ask('PUT', `/api/camera/${part}`, patch);
    expect(status).toBe(200);
    expect(body[key]).toEqual(value);
    expect(get(key)).toEqual(value);
    expect((await ask('GET', `/api/camera/${part}`)).body[key]).toEqual(value);
    expect((await ask('PUT', `/api/camera/${part}`, patch, 'viewer')).status).toBe(403);
    const stranger = await ask('PUT', `/api/camera/${part}`, { users: {} });
    expect(stranger).toMatchObject({ status: 404, body: { error: { key: 'users' } } });
  });

  it('keeps its picture as a profile and goes back to it', async () => {
    await ask('PUT', '/api/camera/controls', { brightness: 61, videoRotation: 90 });
    expect((await ask('POST', '/api/camera/profiles', { name: 'milling' })).status).toBe(201);
    await ask('PUT', '/api/camera/controls', { brightness: 10, videoRotation: 0 });
    const { body } = await ask('GET', '/api/camera/profiles');
    expect(body['profiles']).toEqual([
      { name: 'milling', settings: expect.objectContaining({ videoRotation: 90 }) as unknown },
    ]);
    expect((await ask('POST', '/api/camera/profile', { profile: 'milling' })).status).toBe(200);
    expect([get('brightness'), get('videoRotation')]).toEqual([61, 90]);
    expect((await ask('POST', '/api/camera/profile', { profile: 'turning' })).status).toBe(404);
  });
});

describe('the streams', () => {
  it.each(['/api/streams', '/api/streaming/endpoints', '/api/streaming/info'])(
    'are listed at %s with the host by which the client came',
    async (url) => {
      const { status, body } = await ask('GET', url, undefined, 'viewer');
      expect(status).toBe(200);
      expect(body).toMatchObject({
        rtsp_url: 'rtsp://device.local:8554/stream1',
        rtsps_url: '',
        webrtc_enabled: false,
        webrtc_url: '',
        streams: [
          { id: 'stream1', path: '/stream1' },
          { id: 'stream2', rtsp_url: 'rtsp://device.local:8554/stream2', bitrate: 4_000_000 },
        ],
      });
      expect((await ask('GET', url, undefined, 'nobody')).status).toBe(401);
    },
  );

  it('tell how they fare', async () => {
    expect(await ask('GET', '/api/streaming/status')).toMatchObject({
      status: 200,
      body: { streaming: false, status: 'stopped', clients: 0, healthy: true },
    });
  });

  it('adapt their bitrate within bounds in kbit/s, of which what is left out stays', async () => {
    const url = '/api/streaming/adaptive';
    const reference = {
      ...{ enabled: true, min_bitrate_kbps: 1000, max_bitrate_kbps: 8000, step_size_kbps: 500 },
      ...{ adjustment_interval_ms: 5000, quality_threshold: 0.95 },
    };
    expect(await ask('PUT', url, reference)).toMatchObject({
      status: 200,
      body: { set: { adaptiveBitrate: { mode: 'auto', min: 1_000_000, max: 8_000_000, ladder: true } } },
    });
    await ask('PUT', url, { enabled: false });
    expect((await ask('GET', url)).body).toEqual({
      ...{ enabled: false, min_bitrate_kbps: 1000, max_bitrate_kbps: 8000 },
    });
    const crossed = await ask('PUT', url, { min_bitrate_kbps: 9000 });
    expect(crossed).toMatchObject({ status: 422, body: { error: { key: 'adaptiveBitrate' } } });
    expect((await ask('PUT', url, { enabled: true }, 'viewer')).status).toBe(403);
    expect((await ask('GET', url)).body).toMatchObject({ enabled: false, min_bitrate_kbps: 1000 });
  });

  it.each([
    ['POST', '/api/webrtc/offer', { type: 'offer', sdp: 'v=0' }],
    ['GET', '/api/webrtc/offer', undefined],
    ['POST', '/api/webrtc/answer', { type: 'answer', sdp: 'v=0' }],
  ] as const)('refuse %s %s while WebRTC is off', async (method, url, payload) => {
    const answer = await ask(method, url, payload, 'viewer');
    expect(answer).toMatchObject({ status: 503, body: { error: { code: 'WEBRTC_DISABLED' } } });
  });
});

describe('the network card', () => {
  it('is addressed the way the reference product nests it', async () => {
    const ethernet = { enabled: true, mode: 'static', ip_address: '192.168.1.20', hostname: 'camera' };
    const answer = await ask('PUT', '/api/config/network', { network: { ethernet } });
    expect(answer.body).toMatchObject({ dhcpEnabled: false, ipAddress: '192.168.1.20', hostname: 'camera' });
    const wrong = await ask('PUT', '/api/config/network', { ethernet: { ip_address: 'here' } });
    expect(wrong).toMatchObject({ status: 422, body: { error: { key: 'ipAddress' } } });
    const off = await ask('PUT', '/api/config/network', { ethernet: { enabled: false } });
    expect(off).toMatchObject({ status: 422, body: { error: { code: 'INVALID_VALUE' } } });
    const odd = await ask('PUT', '/api/config/network', { ethernet: { mode: 'maybe' } });
    expect(odd.status).toBe(422);
  });
});
