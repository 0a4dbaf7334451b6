import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { numberOf, textOf } from '../../../kit/json-values.ts';
import { failureWithoutAnswer } from '../judge-answer.ts';
import type { Attempt, CreateSink, Delivery, SinkSettings } from '../sink.ts';
import { faultOfHost, portOf } from '../sink-address.ts';
import { LOG_AUDIT, toFrame, toSyslogMessage } from './syslog-message.ts';

const TIMEOUT_MILLISECONDS = 15_000;
/** IANA's ports for syslog over TLS, and over TCP (which is the shell's officially, and everybody's). */
const TLS_PORT = 6_514;
const TCP_PORT = 514;
/** For messages to arrive before we end our side: what closes in the meantime did so by itself. */
const ARRIVAL_MILLISECONDS = { least: 10, most: 1_000 };
/** A syslog receiver has nothing to say. */
const MOST_READ = 65_536;
const MOST_CERTIFICATES = 20_000;

/**
 * RFC 5424 over TCP (RFC 6587) or TLS (RFC 5425). Syslog knows no acknowledgement, so each batch has a connection of its
 * own, and it is delivered once the receiver, told that nothing follows, has closed its side: it has read to the end.
 */
export const createSyslogSink: CreateSink = (settings, parts) => {
  const isSecure = settings.syslogSecure !== false;
  const ca = textOf(settings.syslogCa);
  const facility = numberOf(settings.syslogFacility) ?? LOG_AUDIT;
  return {
    mostEvents: 500,
    mostBytes: 1_000_000,
    mostInFlight: 1,
    async send(events, attempt) {
      const begin = performance.now();
      try {
        const socket = await parts.connectOut({
          host: textOf(settings.syslogHost) ?? '',
          port: portOf(settings.syslogPort) ?? (isSecure ? TLS_PORT : TCP_PORT),
          secure: isSecure ? { ca } : undefined,
          mayReachLoopback: parts.mayReachLoopback,
          signal: attempt.signal,
        });
        const frames = events.map((event) => toFrame(toSyslogMessage(event, facility))).join('');
        return await handOver(socket, frames, attempt, {
          // Connecting took a way there and back, at least: the messages take half of it.
          arrival: Math.min(Math.max(performance.now() - begin, ARRIVAL_MILLISECONDS.least), ARRIVAL_MILLISECONDS.most),
          whole: parts.timeoutMilliseconds ?? TIMEOUT_MILLISECONDS,
        });
      } catch (error) {
        return failureWithoutAnswer(error, attempt.signal);
      }
    },
    close: async () => undefined,
  };
};

export function faultOfSyslogSettings(settings: SinkSettings): string | undefined {
  const { syslogHost, syslogPort, syslogFacility, syslogSecure, syslogCa } = settings;
  const facility = numberOf(syslogFacility) ?? -1;
  if (syslogPort !== undefined && portOf(syslogPort) === undefined) return 'syslogPort must be a port from 1 to 65535.';
  if (syslogFacility !== undefined && !(Number.isInteger(facility) && facility >= 0 && facility <= 23))
    return 'syslogFacility must be a number from 0 to 23.';
  if (syslogSecure !== undefined && typeof syslogSecure !== 'boolean') return 'syslogSecure must be true or false.';
  if (syslogCa !== undefined && !isCertificate(syslogCa))
    return 'syslogCa must be certificates in PEM, of at most 20,000 characters.';
  return faultOfHost('syslogHost', syslogHost);
}

function isCertificate(value: unknown): boolean {
  if (typeof value !== 'string' || value.length > MOST_CERTIFICATES) return false;
  const certificates = value.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return certificates.length > 0 && certificates.every(isReadable);
}

function isReadable(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}

interface Milliseconds {
  readonly arrival: number;
  readonly whole: number;
}

function handOver(socket: Socket, frames: string, { signal }: Attempt, time: Milliseconds): Promise<Delivery> {
  return new Promise((resolve) => {
    let isEnded = false;
    let ending: NodeJS.Timeout | undefined;
    let isReadToTheEnd = false;
    let problem = 'The receiver closed the connection before it had read everything.';
    let bytesRead = 0;
    const giveUp = (reason: string) => {
      problem = reason;
      socket.destroy();
    };
    const patience = setTimeout(
      () => giveUp('The receiver did not close the connection in time: it may not have read everything.'),
      time.whole,
    );
    const stop = () => giveUp('The attempt was stopped.');
    signal.addEventListener('abort', stop, { once: true });
    socket.on('error', () => {
      isReadToTheEnd = false;
      problem = 'The connection broke.';
    });
    socket.on('data', ({ length }) => {
      bytesRead += length;
      if (bytesRead > MOST_READ) giveUp('The receiver answered with more than a syslog receiver has to say.');
    });
    socket.on('end', () => {
      isReadToTheEnd = isEnded;
    });
    socket.on('close', (hadError) => {
      clearTimeout(patience);
      clearTimeout(ending);
      signal.removeEventListener('abort', stop);
      resolve(isReadToTheEnd && !hadError ? { ok: true } : { ok: false, verdict: 'retry', problem });
    });
    if (signal.aborted) return stop();
    // A connection that closes before its messages have arrived looks like one that has read them: so we end our side
    // when they are there, and only what is closed after that has answered. Closing over unread ones breaks it (RST).
    socket.write(frames, (error) => {
      if (error) return;
      ending = setTimeout(() => {
        isEnded = true;
        socket.end();
      }, time.arrival);
    });
  });
}
