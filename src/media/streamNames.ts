// By which names streams and pipelines are counted. Renditions and kinds of pictures are made at the wish of viewers,
// so each sort of them has one name together: they must not multiply what is counted.

/** Of a channel of the hub. */
export function streamName(channel: string): string {
  if (channel.includes('@')) return 'rendition';
  return channel.startsWith('picture/') ? 'pictures' : channel;
}

export function pipelineName(name: string): string {
  if (name.includes('@')) return 'encode/rendition';
  return name.startsWith('picture/') ? 'picture' : name;
}
