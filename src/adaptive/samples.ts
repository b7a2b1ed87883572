// What is learnt of the way to each viewer. Times are milliseconds on the sender's clock, except for arrivals, which are
// on the clock of the viewer: only differences of them mean anything.

/** Packets that were sent in one go, which is mostly one picture, as the viewer received them. */
export interface PacketTrain {
  readonly sentAt: number;
  /** Of the last packet. */
  readonly sentUntil: number;
  /** Of the first packet that arrived. */
  readonly arrivedAt: number;
  /** Of the last one. */
  readonly arrivedUntil: number;
  /** How many arrived. */
  readonly packets: number;
  readonly lost: number;
  /** Of all that arrived, with their headers. */
  readonly bytes: number;
  /** Of the first that arrived: it tells when the rest began to arrive, and not how fast. */
  readonly firstBytes: number;
}

interface Sample {
  readonly viewer: string;
  readonly at: number;
}

/** Feedback for each packet (transport-wide congestion control). */
export interface TransportSample extends Sample {
  readonly kind: 'transport';
  /** Finished ones, in the order in which they were sent; each is told once. */
  readonly trains: readonly PacketTrain[];
  /** From sending the last packet that the feedback knows of until the feedback was here. */
  readonly rttMs: number | null;
}

/** A receiver report of RTCP. */
export interface ReportSample extends Sample {
  readonly kind: 'report';
  /** Of the packets since the last report, 0 to 1. */
  readonly loss: number;
  readonly jitterMs: number;
  /** Null where the viewer has not seen any report of ours. */
  readonly rttMs: number | null;
  /** How old the report of ours was from which the round trip is known. */
  readonly rttAgeMs: number | null;
  /** What was sent to this viewer since its last report, in bit/s. */
  readonly sentBps: number;
}

/** What a viewer's receiver itself thinks of the way (REMB). */
export interface EstimateSample extends Sample {
  readonly kind: 'estimate';
  readonly bps: number;
}

/** A TCP connection, looked at from here. */
export interface SocketSample extends Sample {
  readonly kind: 'socket';
  /** What has been given to the system and is not acknowledged. */
  readonly queuedBytes: number;
  /** Of that, what has not even been sent for the first time. */
  readonly unsentBytes: number;
  /** Since the connection began. */
  readonly ackedBytes: number;
  /** What waits in this program before the system takes it, where that is known. */
  readonly heldBytes: number;
  readonly rttMs: number;
  readonly minRttMs: number;
  /** What the system measured; means something only while there is a backlog. */
  readonly deliveryBps: number | null;
}

export type PathSample = TransportSample | ReportSample | EstimateSample | SocketSample;
