import { useState } from 'preact/hooks';

export interface TokenFormProps {
  /** The message of the server. */
  readonly message: string;
  readonly useToken: (token: string) => void;
}

/** Asks for the token. It stays in this tab and is never a part of the address. */
export function TokenForm({ message, useToken }: TokenFormProps) {
  const [token, setToken] = useState('');
  return (
    <form
      class="panel token"
      onSubmit={(event) => {
        event.preventDefault();
        useToken(token.trim());
      }}
    >
      <h2>Token</h2>
      <p role="alert">{message}</p>
      <p>
        <label for="token">The token that the server’s token file has for you</label>
        <input
          id="token"
          type="password"
          autocomplete="off"
          maxLength={512}
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
      </p>
      <button type="submit" disabled={token.trim() === ''}>
        Connect
      </button>
    </form>
  );
}
