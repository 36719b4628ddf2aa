export default function Page() {
  return <p>POST /api/images and POST /api/chat are charged.</p>;
}
