// What a migration of 10^12 samples over 32 pods would take, while a random pod is killed every ten minutes: a discrete model, because no
// machine of ours can run it. Each pod copies one stretch after the other, window by window; a kill takes a pod's unmarked work. Pure and
// deterministic. docs/scale.md explains the inputs and the result.

import { randomNumbers } from '../../test/support/dataset.ts';

export interface SimulationInputs {
  readonly seed: number;
  /** The whole migration. */
  readonly samples: number;
  readonly pods: number;
  readonly stretches: number;
  readonly windowSamples: number;
  /** Windows of a pod that are read and not yet marked: after a kill they are read again. */
  readonly windowsInFlight: number;
  readonly samplesPerWrite: number;
  readonly writesInFlight: number;
  /** Round trip to the destination, with its own time for a request. */
  readonly roundTripS: number;
  /** Samples per second of one pod that waits for neither side. */
  readonly podRate: number;
  /** Samples per second that all pods together can read or write. */
  readonly sourceRate: number;
  readonly destinationRate: number;
  /** From the start of a pod's process, and of each further stretch, until its first window is being copied. */
  readonly processStartS: number;
  readonly stretchStartS: number;
  /** From the beginning of a stretch until its first window: looking for its marks, and for data behind them. */
  readonly readsPerStretchStart: number;
  readonly markReadS: number;
  /** Series of the ledger per mark: itself, and the counts beside it. */
  readonly samplesPerMark: number;
  /** 0: no kills. */
  readonly killEveryS: number;
  /** Until Kubernetes replaces a pod: doubles with each failure of the same index, up to a limit; then the new pod is scheduled and started. */
  readonly firstBackOffS: number;
  readonly longestBackOffS: number;
  readonly podStartS: number;
  readonly operatorPollS: number;
  readonly readsPerPoll: number;
  readonly apiWritesPerPoll: number;
  readonly apiWritesPerPod: number;
  readonly leaseRenewalS: number;
}

export interface SimulationResult {
  readonly hours: number;
  readonly kills: number;
  readonly samplesCopied: number;
  /** Read a second time after a kill; what had arrived is not written again. */
  readonly samplesReadAgain: number;
  /** Time of pods that a kill took: unmarked work, waiting for the replacement, starting again. */
  readonly podHoursLost: number;
  readonly marks: number;
  readonly sourceReads: number;
  readonly destinationWrites: number;
  readonly destinationReads: number;
  readonly apiWrites: number;
  readonly apiWritesPerMinute: number;
  /** Reading all marks at the end, as a resumed migration would. */
  readonly resumeS: number;
}

/** Reading the ledger of a migration with this many marks. */
export function ledgerSeconds(marks: number, { markReadS, samplesPerMark }: SimulationInputs): number {
  return marks * samplesPerMark * markReadS;
}

interface Pod {
  /** Windows of its stretch that are not marked; 0: it has none. */
  windowsLeft: number;
  /** Samples of the window that it copies. */
  windowSamples: number;
  /** When the window began, and when it will be marked; Infinity: it has finished. */
  beganS: number;
  doneS: number;
  failures: number;
}

export function simulate(inputs: SimulationInputs): SimulationResult {
  return new Simulation(inputs).run();
}

class Simulation {
  readonly #inputs: SimulationInputs;
  readonly #random: () => number;
  readonly #pods: Pod[];
  readonly #windowsPerStretch: number;
  readonly #windowSamples: number;
  #stretchesLeft: number;
  #nowS = 0;
  #kills = 0;
  #samplesCopied = 0;
  #samplesReadAgain = 0;
  #podSecondsLost = 0;
  #marks = 0;
  #sourceReads = 0;
  #stretchStarts = 0;

  constructor(inputs: SimulationInputs) {
    this.#inputs = inputs;
    this.#random = randomNumbers(inputs.seed);
    this.#stretchesLeft = inputs.stretches;
    const perStretch = inputs.samples / inputs.stretches;
    this.#windowsPerStretch = Math.max(1, Math.round(perStretch / inputs.windowSamples));
    this.#windowSamples = perStretch / this.#windowsPerStretch;
    this.#pods = Array.from({ length: inputs.pods }, () => {
      return { windowsLeft: 0, windowSamples: this.#windowSamples, beganS: 0, doneS: 0, failures: 0 };
    });
  }

  run(): SimulationResult {
    const { processStartS, killEveryS } = this.#inputs;
    for (const pod of this.#pods) this.#takeStretch(pod, processStartS);
    let nextKillS = killEveryS > 0 ? killEveryS : Number.POSITIVE_INFINITY;
    for (;;) {
      const pod = this.#pods.reduce((first, one) => (one.doneS < first.doneS ? one : first));
      if (pod.doneS === Number.POSITIVE_INFINITY) return this.#result();
      if (nextKillS < pod.doneS) {
        this.#nowS = nextKillS;
        nextKillS += killEveryS;
        this.#kill();
      } else {
        this.#nowS = pod.doneS;
        this.#finishWindow(pod);
      }
    }
  }

  #takeStretch(pod: Pod, afterS: number): void {
    if (this.#stretchesLeft === 0) {
      pod.doneS = Number.POSITIVE_INFINITY;
      return;
    }
    this.#stretchesLeft--;
    pod.windowsLeft = this.#windowsPerStretch;
    this.#begin(pod, afterS + this.#inputs.stretchStartS);
    this.#stretchStarts++;
  }

  #begin(pod: Pod, afterS: number): void {
    pod.beganS = this.#nowS + afterS;
    pod.doneS = pod.beganS + this.#windowSeconds();
    this.#sourceReads++;
  }

  /**
   * What limits a window most: the pod itself, its share of each side, or the round trips of its writes. The share of a pod that is being
   * replaced is used by no other.
   */
  #windowSeconds(): number {
    const { podRate, sourceRate, destinationRate, samplesPerWrite, writesInFlight, roundTripS } = this.#inputs;
    const copying = this.#pods.filter(({ doneS }) => doneS !== Number.POSITIVE_INFINITY).length;
    const rate = Math.min(podRate, sourceRate / copying, destinationRate / copying);
    const writes = Math.ceil(this.#windowSamples / samplesPerWrite);
    return Math.max(this.#windowSamples / rate, Math.ceil(writes / writesInFlight) * roundTripS);
  }

  #finishWindow(pod: Pod): void {
    this.#samplesCopied += this.#windowSamples;
    this.#marks++;
    pod.windowsLeft--;
    if (pod.windowsLeft > 0) this.#begin(pod, 0);
    else this.#takeStretch(pod, 0);
  }

  #kill(): void {
    const alive = this.#pods.filter(({ beganS, doneS }) => beganS <= this.#nowS && doneS !== Number.POSITIVE_INFINITY);
    const pod = alive[Math.floor(this.#random() * alive.length)];
    if (pod === undefined) return;
    const { firstBackOffS, longestBackOffS, podStartS, processStartS, stretchStartS, windowsInFlight } = this.#inputs;
    this.#kills++;
    pod.failures++;
    const backOffS = Math.min(longestBackOffS, firstBackOffS * 2 ** (pod.failures - 1));
    const done = (this.#nowS - pod.beganS) / (pod.doneS - pod.beganS);
    const ahead = Math.min(windowsInFlight, pod.windowsLeft) - 1;
    this.#samplesReadAgain += (done + ahead) * this.#windowSamples;
    this.#sourceReads += ahead;
    const resumeS = processStartS + stretchStartS + ledgerSeconds(this.#marks, this.#inputs);
    const absentS = backOffS + podStartS + resumeS;
    this.#podSecondsLost += this.#nowS - pod.beganS + absentS;
    this.#stretchStarts++;
    this.#begin(pod, absentS);
  }

  #result(): SimulationResult {
    const { samplesPerWrite, readsPerStretchStart, operatorPollS, readsPerPoll } = this.#inputs;
    const { pods, apiWritesPerPoll, apiWritesPerPod, leaseRenewalS } = this.#inputs;
    const polls = Math.ceil(this.#nowS / operatorPollS);
    const apiWrites =
      (pods + this.#kills) * apiWritesPerPod + polls * apiWritesPerPoll + Math.ceil(this.#nowS / leaseRenewalS);
    return {
      hours: this.#nowS / 3600,
      kills: this.#kills,
      samplesCopied: this.#samplesCopied,
      samplesReadAgain: this.#samplesReadAgain,
      podHoursLost: this.#podSecondsLost / 3600,
      marks: this.#marks,
      sourceReads: this.#sourceReads,
      destinationWrites: this.#marks * (Math.ceil(this.#windowSamples / samplesPerWrite) + 1),
      destinationReads: this.#stretchStarts * readsPerStretchStart + polls * readsPerPoll,
      apiWrites,
      apiWritesPerMinute: (apiWrites / this.#nowS) * 60,
      resumeS: ledgerSeconds(this.#marks, this.#inputs),
    };
  }
}
