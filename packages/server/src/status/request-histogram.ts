export interface ServedRequest {
  /** The route's template, `/users/:id`: no label ever holds an id. */
  readonly route: string | undefined;
  readonly method: string;
  readonly status: number;
  readonly seconds: number;
}

interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** By bucket, not added up; the last one is for what took longer than all. */
  readonly counts: number[];
  sum: number;
}

const NAME = 'gatewright_http_request_duration_seconds';
const LATENCIES = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * How long requests took, by closed sets of labels. prom-client's own histogram makes a text of the labels at each
 * observation, which is a part of a request's time that shows; here they are made when somebody scrapes.
 */
export function createRequestHistogram() {
  const routes = new Map<string, Map<string, Series[]>>();

  function seriesOf(route: string, method: string, statusClass: number): Series {
    return routes.get(route)?.get(method)?.[statusClass] ?? addSeries(route, method, statusClass);
  }

  function addSeries(route: string, method: string, statusClass: number): Series {
    const methods = routes.get(route) ?? new Map<string, Series[]>();
    const classes = methods.get(method) ?? [];
    const series = {
      labels: { route, method, status: `${statusClass}xx` },
      counts: Array.from({ length: LATENCIES.length + 1 }, () => 0),
      sum: 0,
    };
    routes.set(route, methods);
    methods.set(method, classes);
    classes[statusClass] = series;
    return series;
  }

  return {
    observe({ route, method, status, seconds }: ServedRequest): void {
      const series = seriesOf(route ?? 'unknown', route === undefined ? 'any' : method, Math.floor(status / 100));
      let bucket = 0;
      while (bucket < LATENCIES.length && seconds > (LATENCIES[bucket] ?? 0)) bucket++;
      series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
      series.sum += seconds;
    },

    /** In the form of prom-client's snapshots, which are added up over the processes. */
    toJson: () => ({
      name: NAME,
      help: 'Requests by route template, method and class of their status.',
      type: 'histogram',
      aggregator: 'sum',
      values: [...routes.values()].flatMap((methods) =>
        [...methods.values()].flatMap((classes) => Object.values(classes).flatMap(samplesOf)),
      ),
    }),
  };
}

function samplesOf({ labels, counts, sum }: Series) {
  let count = 0;
  const buckets = counts.map((more, index) => {
    count += more;
    return { metricName: `${NAME}_bucket`, labels: { le: LATENCIES[index] ?? '+Inf', ...labels }, value: count };
  });
  return [
    ...buckets,
    { metricName: `${NAME}_sum`, labels, value: sum },
    { metricName: `${NAME}_count`, labels, value: count },
  ];
}
