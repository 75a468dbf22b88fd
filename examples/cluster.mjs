// What every process of the cluster shares: the one file that all of them read, and Moleculer's options made of it.
import { readFileSync } from "node:fs";

export const readCluster = (path) => JSON.parse(readFileSync(path, "utf8"));

/** Node `name` of the cluster: Moleculer's own TCP transporter, addresses as listed, and local steps of a worker that is lost done by another. */
export const brokerOptions = (cluster, name) => ({
  namespace: cluster.namespace,
  nodeID: name,
  logger: false,
  transporter: {
    type: "TCP",
    options: { udpDiscovery: false, urls: cluster.nodes, useHostname: false, maxPacketSize: 1 << 30 },
  },
  retryPolicy: { enabled: true, retries: 5, delay: 500 },
});
