// The inputs of the simulation, each with its source. "Measured" means docs/performance.md, the case `standard` unless it says otherwise.

import type { SimulationInputs } from './simulation.ts';

const NS = 1e-9;

/** A million series, every 15 s, for half a year. */
const SAMPLES = 1e12;
const PODS = 32;
/** 16 for each pod, of about eight hours: small enough for an even end, long compared with their start. */
const STRETCHES = 512;

/** The default of `spec.window.targetSamples`. */
const WINDOW_SAMPLES = 50_000_000;
/** MAX_WINDOWS_IN_FLIGHT with ordering Any. */
const WINDOWS_IN_FLIGHT = 4;
/** The defaults of `spec.limits`. Measured: 189 requests for 9.41 M samples, 49,773 each. */
const SAMPLES_PER_WRITE = 50_000;
const WRITES_IN_FLIGHT = 8;

/** Measured on 2026-11-27: 106 ns of a pod's CPU per sample. */
const POD_CPU_S = 106 * NS;
const POD_CORES = 1;
/** Measured: 1.3 s of Prometheus' CPU for 28.2 M samples. */
const SOURCE_CPU_S = 46 * NS;
const SOURCE_CORES = 8;
/** Measured: 7.0 s of VictoriaMetrics' CPU for 28.2 M samples. */
const DESTINATION_CPU_S = 248 * NS;
export const DESTINATION_CORES = 32;
/** The distance of the case `scale`, and the destination's time for a request. */
const ROUND_TRIP_S = 0.02 + SAMPLES_PER_WRITE * DESTINATION_CPU_S;

/**
 * Measured: a process that copies a single window between the source and the sink of the case `scale` needs 1.5 s, of which 0.4 s for the
 * window. Of the rest, half a second is for writes that may still arrive (ARRIVING_MS), and 0.1 s for five round trips.
 */
const PROCESS_START_S = 0.5;
const STRETCH_START_S = 0.6;
/** Counted there: marks, the data behind them, and both again before the first write. */
const READS_PER_STRETCH_START = 10;
/** Measured with ledger.ts by remote_read: eight million samples in 2.4 s, of which 0.5 s are the start. By PromQL it takes less. */
const MARK_READ_S = (2.4 - PROCESS_START_S) / 8e6;
/** Counted there: a mark and seven counts. */
const SAMPLES_PER_MARK = 8;

const KILL_EVERY_S = 600;
/** Kubernetes' back-off for the failures of a Job's index. */
const FIRST_BACK_OFF_S = 10;
const LONGEST_BACK_OFF_S = 360;
/** Estimated: scheduling, and starting a container whose image is there. */
const POD_START_S = 5;

/** The operator's status: STATUS_EVERY_MS. It reads the marks with one request. */
const OPERATOR_POLL_S = 10;
const READS_PER_POLL = 1;
const API_WRITES_PER_POLL = 1;
/** Of a pod's life: created, bound, three changes of its status, its finalizer removed; five events; two changes of the Job's status. */
const API_WRITES_PER_POD = 6 + 5 + 2;
/** The elector's retryPeriodMs. */
const LEASE_RENEWAL_S = 2;

export const LARGE_MIGRATION: SimulationInputs = {
  seed: 1,
  samples: SAMPLES,
  pods: PODS,
  stretches: STRETCHES,
  windowSamples: WINDOW_SAMPLES,
  windowsInFlight: WINDOWS_IN_FLIGHT,
  samplesPerWrite: SAMPLES_PER_WRITE,
  writesInFlight: WRITES_IN_FLIGHT,
  roundTripS: ROUND_TRIP_S,
  podRate: POD_CORES / POD_CPU_S,
  sourceRate: SOURCE_CORES / SOURCE_CPU_S,
  destinationRate: DESTINATION_CORES / DESTINATION_CPU_S,
  processStartS: PROCESS_START_S,
  stretchStartS: STRETCH_START_S,
  readsPerStretchStart: READS_PER_STRETCH_START,
  markReadS: MARK_READ_S,
  samplesPerMark: SAMPLES_PER_MARK,
  killEveryS: KILL_EVERY_S,
  firstBackOffS: FIRST_BACK_OFF_S,
  longestBackOffS: LONGEST_BACK_OFF_S,
  podStartS: POD_START_S,
  operatorPollS: OPERATOR_POLL_S,
  readsPerPoll: READS_PER_POLL,
  apiWritesPerPoll: API_WRITES_PER_POLL,
  apiWritesPerPod: API_WRITES_PER_POD,
  leaseRenewalS: LEASE_RENEWAL_S,
};
