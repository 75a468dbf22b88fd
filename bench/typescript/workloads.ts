import type { Parameters } from "marginalia";
import { iwae, vae } from "./autoencoder.js";
import { iwhvi } from "./iwhvi.js";
import { fullRank, meanField } from "./logistic.js";
import { sivi } from "./sivi.js";
import { uivi } from "./uivi.js";
import type { Workload } from "./workload.js";

/** Forgets which records a workload works on: whoever runs it hands it only what it gave itself. */
function erased<P extends Parameters, D extends Parameters>(workload: Workload<P, D>): Workload {
  return workload as unknown as Workload;
}

/** Every workload by the name that the command line and the other frameworks know it by. */
export const workloads: Readonly<Record<string, Workload>> = {
  sivi: erased(sivi),
  uivi: erased(uivi),
  iwae: erased(iwae),
  vae: erased(vae),
  "mean-field": erased(meanField),
  "full-rank": erased(fullRank),
  iwhvi: erased(iwhvi),
};
