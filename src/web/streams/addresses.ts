// Where each stream can be played, and with which words a player is told so.

export interface StreamInfo {
  readonly id: string;
  readonly path: string;
  readonly enabled: boolean;
  readonly resolution: string;
  readonly framerate: number;
  readonly bitrate: number;
  readonly codec: string;
  readonly rtsp_url: string;
  readonly rtsps_url: string;
}

export interface StreamList {
  readonly streams: readonly StreamInfo[];
  readonly webrtc_enabled: boolean;
}

export interface Address {
  readonly name: string;
  /** What is copied. */
  readonly text: string;
}

export function addressesOf(stream: StreamInfo, webrtc: boolean, origin: string): readonly Address[] {
  const { rtsp_url: rtsp, rtsps_url: rtsps, id } = stream;
  return [
    ...(rtsp === ''
      ? []
      : [
          { name: 'RTSP', text: rtsp },
          { name: 'ffplay', text: `ffplay -rtsp_transport tcp -fflags nobuffer ${rtsp}` },
          { name: 'VLC', text: `vlc --rtsp-tcp --network-caching=100 ${rtsp}` },
        ]),
    ...(rtsps === '' ? [] : [{ name: 'RTSPS', text: rtsps }]),
    ...(webrtc ? [{ name: 'WHEP', text: `${origin}/api/whep/${id}` }] : []),
  ];
}

export function pictureAddresses(origin: string): readonly Address[] {
  return [
    { name: 'MJPEG', text: `${origin}/api/camera/stream` },
    { name: 'JPEG', text: `${origin}/camera.jpeg` },
  ];
}
