import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';

const secret = 'a secret of these tests that is long enough';

/** A token as a sign-in service of somebody else would make it. */
export function token(claims: Record<string, unknown>) {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** `tenon rest` on a new database made by an SQL file, in the PostgreSQL of the server under test. */
export async function startRest(file: URL, settings: Record<string, string>) {
  const data = process.env.TENON_DATA ?? '';
  const binary = process.env.TENON_BINARY ?? '';
  // The fifth line is the folder of the socket.
  const pid = await readFile(join(data, 'postgres/data/postmaster.pid'), 'utf8');
  const host = pid.split('\n')[4] ?? '';
  const database = `rest_${Date.now().toString(36)}`;
  const connect = async (name: string) => {
    const client = new Client({ host, user: 'postgres', database: name });
    await client.connect();
    return client;
  };
  const admin = await connect('postgres');
  await admin.query(`create database ${database}`);
  await admin.end();
  const owner = await connect(database);
  await owner.query(await readFile(file, 'utf8'));

  const port = await freePort();
  const url = `http://127.0.0.1:${String(port)}`;
  let log = '';
  const server = spawn(binary, ['rest'], {
    env: {
      ...process.env,
      PGRST_DB_URI: `postgres:///${database}?host=${host}&user=cinema_login`,
      PGRST_SERVER_HOST: '127.0.0.1',
      PGRST_SERVER_PORT: String(port),
      PGRST_JWT_SECRET: secret,
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [server.stdout, server.stderr])
    stream.on('data', (piece: Buffer) => (log += piece.toString()));
  const until = Date.now() + 60_000;
  for (;;) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.status === 200) break;
    if (server.exitCode !== null || Date.now() > until)
      throw new Error(`tenon rest does not answer (${String(answer?.status)}):\n${log}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    url,
    /** The database as its owner. */
    sql: owner,
    stop: async () => {
      const ended = once(server, 'exit');
      server.kill('SIGTERM');
      await ended;
      await owner.end();
    },
  };
}
