/** Whoever asks for what is being worked on waits for that work, and gets its outcome. */
export function createSingleFlight<Value>() {
  const flights = new Map<string, Promise<Value>>();

  return (key: string, work: () => Promise<Value>): Promise<Value> => {
    const flying = flights.get(key);
    if (flying) return flying;
    const flight = work().finally(() => flights.delete(key));
    flights.set(key, flight);
    return flight;
  };
}
