// The latest wins: one job at a time, and of those asked meanwhile only the last is done.

/**
 * A runner that never queues more than one job, so that a picture on screen is never older than one
 * round trip and dragging never waits.
 */
export class Latest {
  /** @param {(error: unknown) => void} onError */
  constructor(onError) {
    this.onError = onError;
    /** @type {((signal: AbortSignal) => Promise<void>) | null} */
    this.next = null;
    this.running = false;
    this.abort = new AbortController();
  }

  /** @param {(signal: AbortSignal) => Promise<void>} job */
  ask(job) {
    this.next = job;
    if (!this.running) void this.#run();
  }

  /** Forget what waits and stop what runs. */
  stop() {
    this.next = null;
    this.abort.abort();
    this.abort = new AbortController();
  }

  async #run() {
    this.running = true;
    while (this.next) {
      const job = this.next;
      this.next = null;
      const { signal } = this.abort;
      try {
        await job(signal);
      } catch (error) {
        if (!signal.aborted) this.onError(error);
      }
    }
    this.running = false;
  }
}
