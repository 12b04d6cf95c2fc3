import { OverreadError } from '../../errors.ts';

/**
 * Where Redis is, as BullMQ wants it: it connects again for ever, and says once when Redis is gone.
 * @param url `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS
 * @throws OverreadError `cli/usage`
 */
export function redisConnection(url: string, note: (line: string) => void) {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^rediss?:$/.test(parsed.protocol)) {
    throw new OverreadError('cli/usage', `Expected the address of a Redis server, redis://host:port, got '${url}'.`, { expected: 'redis://host:port', got: url });
  }
  return {
    host: parsed.hostname,
    port: Number(parsed.port || 6379),
    db: Number(parsed.pathname.slice(1) || 0),
    ...(parsed.username && { username: decodeURIComponent(parsed.username) }),
    ...(parsed.password && { password: decodeURIComponent(parsed.password) }),
    ...(parsed.protocol === 'rediss:' && { tls: {} }),
    // BullMQ's own advice: a command waits for Redis to come back.
    maxRetriesPerRequest: null,
    retryStrategy: (times: number) => {
      if (times === 1) note(`Redis at ${parsed.host} does not answer; it is tried until it does.`);
      return Math.min(5000, 200 * times);
    },
  };
}
