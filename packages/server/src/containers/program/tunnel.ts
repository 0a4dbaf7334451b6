import type { ConnectionMessage } from '../protocol.ts';
export function installTunnel(): void {}
export function setTargets(_targets: readonly string[]): void {}
export function receive(_message: ConnectionMessage): void {}
