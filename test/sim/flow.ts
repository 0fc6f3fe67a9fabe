import type { Random } from './random.ts';
import type { EndPlan, FlowPlan } from './scenario.ts';
import { Text } from './text.ts';

export type Role = 'client' | 'server';

/** One connection that is to come, and what both ends are to say. */
export class Flow {
  readonly plan: FlowPlan;
  readonly texts: Readonly<Record<Role, Text>>;
  /** Whether somebody gives up on purpose, so that the other may see an error and not hear everything. */
  readonly isRude: boolean;
  /** Whether a program goes away and leaves its side to TCP: what comes later may be reset. */
  readonly isHasty: boolean;
  /** When somebody gave up. */
  brokenAt = Infinity;

  constructor(plan: FlowPlan, random: Random) {
    this.plan = plan;
    this.texts = {
      client: new Text(random.fork('client'), plan.client.length),
      server: new Text(random.fork('server'), plan.server.length),
    };
    const endings = [plan.client.ending, plan.server.ending];
    this.isRude = endings.includes('abort') || endings.includes('drop');
    this.isHasty = endings.includes('at once');
  }

  end(role: Role): EndPlan {
    return this.plan[role];
  }

  get isSimultaneous(): boolean {
    return this.plan.clientPort !== 0;
  }

  /** Which end sends a segment with these ports and from this host; undefined: none of this connection. */
  senderOf(host: number, sourcePort: number, destinationPort: number): Role | undefined {
    const { client, server, port } = this.plan;
    if (host === client.host && destinationPort === port) return 'client';
    if (host === server.host && sourcePort === port) return 'server';
    return undefined;
  }
}

export function otherRole(role: Role): Role {
  return role === 'client' ? 'server' : 'client';
}
