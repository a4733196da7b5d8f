import { Link } from "@tanstack/react-router";
import { Empty } from "../parts/empty";

export function NotFound() {
  return (
    <Empty title="There is no such page" action={<Link to="/">Go to the overview</Link>}>
      The address may be from another version of Seawall.
    </Empty>
  );
}
