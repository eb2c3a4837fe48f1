import { openHub } from 'thermolink/hub';

// The token is in the environment variable THERMOLINK_TOKEN.
const hub = openHub(process.argv[2] ?? 'hub://127.0.0.1:8100');
for (const { name, health, lease } of await hub.boards())
  console.log(`${name} is ${health}, ${lease === null ? 'nobody' : lease.owner} drives it`);
for await (const event of hub.events()) {
  // The first event is `hello`. From then on no event is missed.
  if (event.type === 'hello')
    for (const { name } of event.boards.slice(0, 1)) console.log(`${name} is ${await hub.stop(name)}`);
  if (event.type !== 'incident' || event.what !== 'stopped') continue;
  console.log(event.text);
  break;
}
