// Line drawings for the navigation, 24 by 24.
import {svg} from './dom.js';

const PATHS = {
  overview: ['M4 11.5 12 5l8 6.5', 'M6 10v9h12v-9'],
  pay: ['M5 12h14', 'M13 6l6 6-6 6'],
  request: ['M19 12H5', 'M11 6l-6 6 6 6'],
  inbox: ['M4 13l2.5-8h11L20 13v6H4z', 'M4 13h5l1 2.5h4l1-2.5h5'],
  history: ['M12 7v5l3 2', 'M4.5 12a7.5 7.5 0 1 0 2.5-5.6', 'M4.5 4.5v3.5H8'],
  members: ['M9 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6z', 'M3.5 19c.5-3.5 2.5-5 5.5-5s5 1.5 5.5 5', 'M15.5 5.5a3 3 0 0 1 0 5.5', 'M17 14c2 .5 3.2 2.2 3.5 5'],
  votes: ['M5 5h14v14H5z', 'M8.5 12l2.5 2.5 4.5-5'],
  rewards: ['M12 4l2.3 5 5.4.6-4 3.7 1.1 5.4L12 16l-4.8 2.7 1.1-5.4-4-3.7 5.4-.6z'],
  chat: ['M4 6h16v10h-8l-4 3.5V16H4z'],
  node: ['M12 6a1.5 1.5 0 1 0 0-.01', 'M6 18a1.5 1.5 0 1 0 0-.01', 'M18 18a1.5 1.5 0 1 0 0-.01', 'M11.5 8 7 16', 'M12.5 8 17 16', 'M8 18h8'],
  more: ['M6 12h.01', 'M12 12h.01', 'M18 12h.01'],
};

export const icon = (name) => svg('svg', {class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true'}, PATHS[name].map((d) => svg('path', {d})));
