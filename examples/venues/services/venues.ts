export interface Venue {
  readonly id: string;
  readonly name: string;
  readonly district: string;
  readonly seats: number;
  readonly tonight: string;
}

export const venues: readonly Venue[] = [
  { id: 'lantern-hall', name: 'Lantern Hall', district: 'Old harbour', seats: 420, tonight: 'String quartet, 19:30' },
  { id: 'the-kiln', name: 'The Kiln', district: 'Potters’ row', seats: 180, tonight: 'Open stage, 20:00' },
  { id: 'north-pier', name: 'North Pier', district: 'Seafront', seats: 1_200, tonight: 'Brass night, 21:00' },
  { id: 'glasshouse', name: 'Glasshouse', district: 'Botanic garden', seats: 260, tonight: 'Readings, 18:00' },
];
