// `npm run hub [-- empty]`: the mock hub by itself, for a browser. Every line on stdin fires an alert.
import { createInterface } from "node:readline";
import { startHub } from "./hub";
import { PASSWORD } from "./people";

const hub = await startHub({ empty: process.argv.includes("empty"), port: 8765 });
console.log(`${hub.url}  users: owner first admin reader contributor  password: ${PASSWORD}`);
console.log("press Enter to fire an alert");
createInterface({ input: process.stdin }).on("line", hub.fire);
