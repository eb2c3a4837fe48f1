/**
 * The client of a server of shared boards (`thermolink serve`): which boards it has, their health, what
 * happens on them, stopping them, and their recordings
 * ([how](https://github.com/thermolink/thermolink/blob/main/docs/how-to/share-a-board.md)). A board is driven
 * by `connect` with its URI `hub://HOST:PORT/BOARD`.
 *
 * @module thermolink/hub
 */
export {
  BOARD_VIEW,
  type BoardView,
  EVENT,
  HEALTH,
  type HubEvent,
  type HubEventOf,
  type HubHealth,
  KEPT_NOTE,
  type KeptNote,
  LINK_COUNTERS,
  type LinkCounters,
  NOTE,
  type Note,
  RECORDING_VIEW,
  type RecordingView,
  RUN_VIEW,
  type RunView,
} from '../api.js';
export { HubClient, type HubRequestOptions, openHub } from './hub-client.js';
