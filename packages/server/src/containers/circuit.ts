import type { ContainerLimits } from './limits.ts';

/** Opens after too many ends within a while: a tenant whose code always loops must not keep us starting processes. */
export function createCircuit({ killsUntilOpen, killWindowMs, openMs }: ContainerLimits) {
  let kills: number[] = [];
  let openUntil = 0;
  return {
    isOpen: () => performance.now() < openUntil,
    /** True where this one opened it. */
    countKill(): boolean {
      const now = performance.now();
      kills = [...kills.filter((time) => time > now - killWindowMs), now];
      if (kills.length < killsUntilOpen || now < openUntil) return false;
      openUntil = now + openMs;
      kills = [];
      return true;
    },
  };
}
