/** Telephones, whose messages a development installation keeps. */
import { URL_OF_SERVER } from './browser';

/** A number nobody has had before. */
export function newPhone(): string {
  return `49301${String(Date.now()).slice(-8)}${Math.floor(Math.random() * 10)}`;
}

interface Kept {
  channel: string;
  recipient: string;
  text: string;
}

/** The code of the newest text message to a number. */
export async function codeFor(phone: string): Promise<string> {
  const kept = (await (
    await fetch(`${URL_OF_SERVER}/api/v1/notifications/mailbox`)
  ).json()) as Kept[];
  const message = kept.find((one) => one.channel === 'sms' && one.recipient === phone);
  return /\d{6}/.exec(message?.text ?? '')?.[0] ?? '';
}
