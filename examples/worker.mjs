// One worker of LDA on a Moleculer cluster: node examples/worker.mjs cluster.json worker-1
import { ldaStatistics, moleculerStatistics } from "marginalia";
import moleculer from "moleculer";
import { brokerOptions, readCluster } from "./cluster.mjs";

const [path, name] = process.argv.slice(2);
const cluster = readCluster(path);
const broker = new moleculer.ServiceBroker(brokerOptions(cluster, name));
broker.createService(await moleculerStatistics(ldaStatistics(cluster.model)));
await broker.start();
console.log(`${name} is ready.`);
