// The view of a destination that can't be read (`progress.protocol: None`): no marks, and no sample is ever known to be there.

import type { DestinationView, Hidden } from './destination-view.ts';
import type { Mark } from './progress-mark.ts';
import type { Look } from './settling.ts';

export class NoView implements DestinationView {
  readonly readable = false;
  readonly convertsHistograms = false;
  readonly dropsNan = false;

  latestMark(): Promise<Mark | undefined> {
    return Promise.resolve(undefined);
  }

  ledger(): Promise<readonly Mark[]> {
    return Promise.resolve([]);
  }

  showsMark(): Promise<boolean> {
    return Promise.resolve(false);
  }

  presentTimes(): Promise<ReadonlyMap<string, Float64Array>> {
    return Promise.resolve(new Map());
  }

  isEmpty(): Promise<boolean> {
    return Promise.resolve(false);
  }

  hides(): Hidden {
    return 'everything';
  }

  isUntouched(): Promise<boolean> {
    return Promise.resolve(false);
  }

  settled<T>({ look }: Look<T>): Promise<T> {
    return look();
  }

  show(): Promise<number> {
    return Promise.resolve(0);
  }

  close(): void {}
}
