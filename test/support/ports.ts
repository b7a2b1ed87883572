import { createServer, type AddressInfo, type Server } from 'node:net';

/** Occupies a port, on every address the way the web servers do. */
export function listeningSomewhere(): Promise<Server> {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen({ port: 0, host: '127.0.0.1' }, () => {
      resolve(server);
    });
  });
}

/** Ports that are free now, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, listeningSomewhere));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(
    servers.map(
      (server) =>
        new Promise<void>((resolve) => {
          server.close(() => {
            resolve();
          });
        }),
    ),
  );
  return ports;
}
