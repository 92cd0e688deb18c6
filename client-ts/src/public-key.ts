/** Apart from what uses it, so that the types of an app without the browser's own need no `CryptoKey`. */

/** A public key as `/.well-known/countersign/keys` lists it. */
export interface PublicKey {
  /** `k4.pid.…` */
  readonly kid: string;
  /** `k4.public.…` */
  readonly key: string;
  /** When the key is no longer to be used, if that is known. */
  readonly not_after?: string | null | undefined;
}
