import { Namespaces } from './Namespaces.js';

/** Two machines on a network of their own, as namespaces of this one: what they send stays between them. */
export class Network extends Namespaces {
  override async open(): Promise<void> {
    await super.open();
    const { server, client } = this.names;
    await this.ip(server, 'link', 'add', 'net0', 'type', 'veth', 'peer', 'name', 'net0', 'netns', client);
    for (const [name, address] of [
      [server, this.serverAddress],
      [client, this.clientAddress],
    ] as const) {
      await this.ip(name, 'address', 'add', `${address}/24`, 'dev', 'net0');
      await this.ip(name, 'link', 'set', 'net0', 'up');
      await this.ip(name, 'route', 'add', '224.0.0.0/4', 'dev', 'net0');
    }
  }
}
