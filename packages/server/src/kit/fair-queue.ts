/** A bounded queue that serves tenants in turn, so that a storm at one of them delays that one. */
export interface FairQueue<Item> {
  size(): number;
  /** Returns the item that finds no room: the given one, or the newest of the tenant that holds most. */
  push(tenantId: string, item: Item): Item | undefined;
  /** Puts an item back where it came from; it counts as admitted. */
  putBack(tenantId: string, item: Item): void;
  take(): Item | undefined;
  /** Empties the queue. */
  drain(): Item[];
}

export function createFairQueue<Item>(limit: number): FairQueue<Item> {
  // In the order of turns: a tenant that was served goes to the end, one that has nothing left is forgotten.
  const lines = new Map<string, Item[]>();
  let size = 0;

  function push(tenantId: string, item: Item): Item | undefined {
    const mine = lines.get(tenantId) ?? [];
    if (size >= limit) {
      const longest = longestLine();
      if (longest.length <= mine.length + 1) return item;
      mine.push(item);
      lines.set(tenantId, mine);
      return longest.pop();
    }
    mine.push(item);
    lines.set(tenantId, mine);
    size++;
    return undefined;
  }

  function take(): Item | undefined {
    for (const [tenantId, line] of lines) {
      lines.delete(tenantId);
      const item = line.shift();
      if (line.length > 0) lines.set(tenantId, line);
      size--;
      return item;
    }
    return undefined;
  }

  function putBack(tenantId: string, item: Item): void {
    const line = lines.get(tenantId) ?? [];
    line.unshift(item);
    lines.set(tenantId, line);
    size++;
  }

  function drain(): Item[] {
    const items = [...lines.values()].flat();
    lines.clear();
    size = 0;
    return items;
  }

  function longestLine(): Item[] {
    let longest: Item[] = [];
    for (const line of lines.values()) if (line.length > longest.length) longest = line;
    return longest;
  }

  return { size: () => size, push, putBack, take, drain };
}
