/** The functions, views and answers of the schema `api`. Made from the database: make reference */
import type { Numeric, Quantity } from "./exact.js";

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [member: string]: Json | undefined;
}

export interface Database {
  api: {
    Tables: Record<never, never>;
    Views: {
      /** The API keys of backends, without their secrets. For services. */
      api_keys: {
        Row: {
          key_id: string | null;
          name: string | null;
          role: string | null;
          state: string | null;
          expires_at: string | null;
          revoked_at: string | null;
          created_at: string | null;
          created_by: string | null;
          made_with: string | null;
          last_used_at: string | null;
          rotated_at: string | null;
          old_secret_until: string | null;
          old_secret_used_at: string | null;
        };
        Relationships: [];
      };
      /** The automatic top-up of the caller, if they have ever agreed to one. A service sees those of every account. */
      auto_topup: {
        Row: {
          user_id: string | null;
          state: string | null;
          reason: string | null;
          threshold: Numeric | null;
          pack_id: string | null;
          tokens: Numeric | null;
          amount: Numeric | null;
          currency: string | null;
          monthly_limit: Numeric | null;
          charged_this_month: Numeric | null;
          payment_method_id: string | null;
          order_in_flight: string | null;
          declines: Numeric | null;
          waits_for: string | null;
          next_try_at: string | null;
          link: string | null;
          link_until: string | null;
          words: string | null;
          agreed_at: string | null;
          changed_at: string | null;
        };
        Relationships: [];
      };
      /** What has happened to the automatic top-up of the caller. A service sees that of every account. */
      auto_topup_history: {
        Row: {
          user_id: string | null;
          happened_at: string | null;
          event: string | null;
          state: string | null;
          reason: string | null;
          amount: Numeric | null;
          currency: string | null;
          order_id: string | null;
          entry_id: string | null;
          hold_id: string | null;
          balance_before: Numeric | null;
          balance_after: Numeric | null;
          threshold: Numeric | null;
          payment_intent_id: string | null;
          payment_method_id: string | null;
          words: string | null;
          ended_at: string | null;
        };
        Relationships: [];
      };
      /** The balance of the caller. A service sees every account's. */
      balance: {
        Row: {
          user_id: string | null;
          balance: Numeric | null;
          held: Numeric | null;
          available: Numeric | null;
          debt: Numeric | null;
          lifetime_granted: Numeric | null;
          lifetime_spent: Numeric | null;
          status: string | null;
          package_name: string | null;
          purchased_at: string | null;
          updated_at: string | null;
        };
        Relationships: [];
      };
      /** Whether anything has happened to a balance since somebody looked. For services that watch many. */
      balance_versions: {
        Row: {
          user_id: string | null;
          version: string | null;
        };
        Relationships: [];
      };
      /** The ledger of the caller. A service sees every account's. */
      entries: {
        Row: {
          entry_id: string | null;
          user_id: string | null;
          seq: Numeric | null;
          posted_at: string | null;
          effective_at: string | null;
          kind: string | null;
          tokens: Numeric | null;
          balance_before: Numeric | null;
          balance_after: Numeric | null;
          draws: Json;
          module_id: string | null;
          usage: Json;
          price_id: Numeric | null;
          reference: string | null;
          metadata: Json;
          hash: string | null;
          debt_after: Numeric | null;
          price_source: string | null;
          tags: Json;
        };
        Relationships: [];
      };
      /** Uses of the caller that failed and were not charged. A service sees those of every account. */
      failures: {
        Row: {
          failure_id: string | null;
          user_id: string | null;
          failed_at: string | null;
          module_id: string | null;
          module_title: string | null;
          duration_ms: Numeric | null;
          metadata: Json;
        };
        Relationships: [];
      };
      /** The accounts of users who were forgotten, without saying who they were. For services. */
      forgotten_users: {
        Row: {
          account_id: string | null;
          forgotten_at: string | null;
          finished_at: string | null;
        };
        Relationships: [];
      };
      /** The holds of the caller. A service sees those of every account. */
      holds: {
        Row: {
          hold_id: string | null;
          user_id: string | null;
          module_id: string | null;
          state: string | null;
          tokens: Numeric | null;
          held: Numeric | null;
          captured: Numeric | null;
          shortfall: Numeric | null;
          usage: Json;
          price_id: Numeric | null;
          created_at: string | null;
          expires_at: string | null;
          finished_at: string | null;
          duration_ms: Numeric | null;
          late: boolean | null;
          reason: string | null;
          metadata: Json;
          price_source: string | null;
          tags: Json;
        };
        Relationships: [];
      };
      /** The lots of the caller. A service sees every account's. */
      lots: {
        Row: {
          lot_id: Numeric | null;
          user_id: string | null;
          source: string | null;
          package_name: string | null;
          granted: Numeric | null;
          remaining: Numeric | null;
          held: Numeric | null;
          priority: Numeric | null;
          scope: string | null;
          granted_at: string | null;
          expires_at: string | null;
          expired: boolean | null;
          frozen: boolean | null;
          order_id: string | null;
          withheld: Numeric | null;
          reversed: Numeric | null;
        };
        Relationships: [];
      };
      /** What tokens can be spent on. */
      modules: {
        Row: {
          module_id: string | null;
          title: string | null;
          category_id: string | null;
          category_title: string | null;
          price: Json;
        };
        Relationships: [];
      };
      /** The notices of the caller. A service sees those of every account. */
      notices: {
        Row: {
          notice_id: string | null;
          user_id: string | null;
          kind: string | null;
          facts: Json;
          created_at: string | null;
          delivered: boolean | null;
        };
        Relationships: [];
      };
      /** The orders of the caller. A service sees those of every account. */
      orders: {
        Row: {
          order_id: string | null;
          user_id: string | null;
          state: string | null;
          pack_id: string | null;
          package_name: string | null;
          module_id: string | null;
          tokens: Numeric | null;
          bonus_tokens: Numeric | null;
          amount: Numeric | null;
          currency: string | null;
          checkout_session_id: string | null;
          created_at: string | null;
          paid_at: string | null;
          scope: string | null;
          kind: string | null;
          paid: Numeric | null;
          reversed: Numeric | null;
          reversal_pending: Numeric | null;
          disputed: boolean | null;
        };
        Relationships: [];
      };
      /** What can be bought. position gives the order. */
      packs: {
        Row: {
          pack_id: string | null;
          package_name: string | null;
          tokens: Numeric | null;
          bonus_tokens: Numeric | null;
          amount: Numeric | null;
          currency: string | null;
          popular: boolean | null;
          position: Numeric | null;
          expires_after: string | null;
          amount_per_token: Numeric | null;
          saving_percent: Numeric | null;
          best_value: boolean | null;
          scope: string | null;
          price: Numeric | null;
        };
        Relationships: [];
      };
      /** What can be subscribed to. position gives the order. */
      plans: {
        Row: {
          plan_id: string | null;
          title: string | null;
          allowance: Numeric | null;
          interval: string | null;
          interval_count: Numeric | null;
          amount: Numeric | null;
          currency: string | null;
          price: Numeric | null;
          free: boolean | null;
          popular: boolean | null;
          position: Numeric | null;
          trial_days: Numeric | null;
          trial_allowance: Numeric | null;
          rollover_cap: Numeric | null;
          rollover_percent: Numeric | null;
          rollover_expires_after: string | null;
          scope: string | null;
        };
        Relationships: [];
      };
      /** The users whom the caller has brought, without their names. A service sees everybody's. */
      referrals: {
        Row: {
          user_id: string | null;
          code: string | null;
          campaign_id: string | null;
          state: string | null;
          created_at: string | null;
          settled_at: string | null;
        };
        Relationships: [];
      };
      /** The refunds that services requested, of every account. For services and support. */
      refund_requests: {
        Row: {
          request_id: string | null;
          user_id: string | null;
          order_id: string | null;
          state: string | null;
          tokens: Numeric | null;
          amount: Numeric | null;
          currency: string | null;
          reason: string | null;
          trouble: string | null;
          refund_id: string | null;
          requested_at: string | null;
          ended_at: string | null;
        };
        Relationships: [];
      };
      /** What the last pgcredits migrate left in this database: one row, for services. */
      release: {
        Row: {
          migration: string | null;
          program: string | null;
          released_at: string | null;
          whole: boolean | null;
        };
        Relationships: [];
      };
      /** Refunds and disputes of the orders of the caller. A service sees those of every account. */
      reversals: {
        Row: {
          reversal_id: string | null;
          user_id: string | null;
          order_id: string | null;
          kind: string | null;
          amount: Numeric | null;
          currency: string | null;
          status: string | null;
          withdrawn: boolean | null;
          created_at: string | null;
          changed_at: string | null;
        };
        Relationships: [];
      };
      /** What captures of the caller cost beyond what could be paid. A service sees those of every account. */
      shortfalls: {
        Row: {
          shortfall_id: string | null;
          user_id: string | null;
          hold_id: string | null;
          entry_id: string | null;
          tokens: Numeric | null;
          state: string | null;
          created_at: string | null;
          closed_at: string | null;
        };
        Relationships: [];
      };
      /** The spend limits of the caller. A service sees those of every account. */
      spend_limits: {
        Row: {
          user_id: string | null;
          period: string | null;
          set_by: string | null;
          tokens: Numeric | null;
          spent: Numeric | null;
          remaining: Numeric | null;
          resets_at: string | null;
        };
        Relationships: [];
      };
      /** The plans that the caller has: subscriptions at Stripe, and the free plan. A service sees those of every account. */
      subscriptions: {
        Row: {
          subscription_id: string | null;
          user_id: string | null;
          plan_id: string | null;
          title: string | null;
          status: string | null;
          quantity: Numeric | null;
          allowance: Numeric | null;
          amount: Numeric | null;
          currency: string | null;
          period_starts_at: string | null;
          period_ends_at: string | null;
          cancel_at_period_end: boolean | null;
          cancel_at: string | null;
          pause: string | null;
          resumes_at: string | null;
          trial_ends_at: string | null;
          ended_at: string | null;
          unpaid_amount: Numeric | null;
          pay_url: string | null;
          next_attempt_at: string | null;
        };
        Relationships: [];
      };
      /** Amounts that can be bought without a pack, where the price list offers it. */
      topups: {
        Row: {
          currency: string | null;
          minimum: Numeric | null;
          maximum: Numeric | null;
          tokens_per_unit: Numeric | null;
          presets: Json;
          minor_digits: Numeric | null;
          step: Numeric | null;
        };
        Relationships: [];
      };
      /** The charges of the caller. A service sees those of every account. */
      usage: {
        Row: {
          entry_id: string | null;
          user_id: string | null;
          used_at: string | null;
          module_id: string | null;
          module_title: string | null;
          usage: Json;
          cost: Numeric | null;
          balance_after: Numeric | null;
          price_id: Numeric | null;
          metadata: Json;
          own_key: boolean | null;
          hold_id: string | null;
          duration_ms: Numeric | null;
          refunded: Numeric | null;
          price_source: string | null;
          tags: Json;
        };
        Relationships: [];
      };
      /** What the caller spent, per tag, module and day. A service sees that of every account. A charge with several tags counts for each of them, so only rows of one name can be added up. */
      usage_by_tag: {
        Row: {
          user_id: string | null;
          name: string | null;
          value: string | null;
          module_id: string | null;
          day: string | null;
          uses: Numeric | null;
          tokens: Numeric | null;
        };
        Relationships: [];
      };
      /** The messages to endpoints. Those that were delivered are forgotten after 35 days. For services and support. */
      webhook_deliveries: {
        Row: {
          message_id: string | null;
          endpoint_id: string | null;
          user_id: string | null;
          kind: string | null;
          state: string | null;
          tries: Numeric | null;
          due_at: string | null;
          last_status: Numeric | null;
          last_trouble: string | null;
          last_tried_at: string | null;
          delivered_at: string | null;
          created_at: string | null;
        };
        Relationships: [];
      };
      /** The endpoints that are told what happens. For services and support. */
      webhooks: {
        Row: {
          endpoint_id: string | null;
          url: string | null;
          kinds: string[] | null;
          description: string | null;
          state: string | null;
          reason: string | null;
          disabled_at: string | null;
          failing_since: string | null;
          created_by: string | null;
          created_at: string | null;
          waiting: Numeric | null;
        };
        Relationships: [];
      };
    };
    Functions: {
      acknowledge_notices: {
        Args:
          | {
              notice_ids: string[];
            }
        Returns: Database["api"]["CompositeTypes"]["acknowledgement"];
      };
      add_package: {
        Args:
          | {
              user_id: string;
              tokens_to_add: Quantity;
              package_name: string;
              idempotency_key?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["grant_receipt"];
      };
      add_tokens: {
        Args:
          | {
              user_id: string;
              tokens: Quantity;
              reason?: string | null | undefined;
              package_name?: string | null | undefined;
              expires_at?: string | null | undefined;
              priority?: Quantity | null | undefined;
              scope?: string | null | undefined;
              idempotency_key?: string | null | undefined;
              metadata?: object | null | undefined;
            }
          | {
              user_id: string;
              tokens_to_add: Quantity;
              package_name: string;
            }
        Returns: Database["api"]["CompositeTypes"]["grant_receipt"];
      };
      apply_stripe_event: {
        Args:
          | {
              event: object;
              payload?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["event_receipt"];
      };
      attach_checkout: {
        Args:
          | {
              account_id: string;
              order_id: string;
              session_id: string;
              customer_id?: string | null | undefined;
              replaces_customer_id?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["order_receipt"];
      };
      attach_customer: {
        Args:
          | {
              account_id: string;
              customer_id: string;
              replaces_customer_id?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["stripe_customer"];
      };
      begin_sign_in: {
        Args:
          | {
              email: string;
              network_keys: string[];
              shared_network?: boolean | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["credential"];
      };
      begin_sign_up: {
        Args:
          | {
              network_keys: string[];
              shared_network?: boolean | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["admission"];
      };
      cancel_order: {
        Args:
          | {
              account_id: string;
              order_id: string;
            }
        Returns: Database["api"]["CompositeTypes"]["order_receipt"];
      };
      capture_hold: {
        Args:
          | {
              hold_id: string;
              usage?: object | null | undefined;
              final?: boolean | null | undefined;
              over?: string | null | undefined;
              idempotency_key?: string | null | undefined;
              user_id?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["capture_receipt"];
      };
      change_expiry: {
        Args:
          | {
              lot_id: string;
              expires_at: string;
              reason?: string | null | undefined;
              idempotency_key?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["lot_receipt"];
      };
      change_password: {
        Args:
          | {
              email: string;
              password_hash: string;
              compared_hash?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["sessions_ended"];
      };
      claim_stripe_calls: {
        Args:
          | {
              most?: Quantity | null | undefined;
              lease_seconds?: Quantity | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["stripe_calls"];
      };
      close_shortfall: {
        Args:
          | {
              shortfall_id: string;
              state: string;
            }
        Returns: Database["api"]["CompositeTypes"]["shortfall_receipt"];
      };
      confirm_guest_use: {
        Args:
          | {
              use_id: string;
            }
        Returns: Database["api"]["CompositeTypes"]["guest_receipt"];
      };
      consume_call: {
        Args:
          | {
              user_id: string;
              module_id: string;
              module_name: string;
              tokens_to_consume: Quantity;
              idempotency_key?: string | null | undefined;
              tags?: object | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["spend_receipt"];
      };
      consume_tokens: {
        Args:
          | {
              module_id: string;
              usage?: object | null | undefined;
              idempotency_key?: string | null | undefined;
              user_id?: string | null | undefined;
              metadata?: object | null | undefined;
              byok?: boolean | null | undefined;
              tags?: object | null | undefined;
            }
          | {
              user_id: string;
              module_id: string;
              module_name: string;
              tokens_to_consume: Quantity;
            }
        Returns: Database["api"]["CompositeTypes"]["spend_receipt"];
      };
      consume_tokens_batch: {
        Args:
          | {
              items: object;
              atomic?: boolean | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["batch_receipt"];
      };
      create_api_key: {
        Args:
          | {
              name: string;
              role: string;
              expires_at?: string | null | undefined;
              idempotency_key?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["api_key"];
      };
      create_order: {
        Args:
          | {
              pack_id?: string | null | undefined;
              amount?: Quantity | null | undefined;
              module_id?: string | null | undefined;
              user_id?: string | null | undefined;
              idempotency_key?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["order_receipt"];
      };
      disable_webhook: {
        Args:
          | {
              endpoint_id: string;
              reason: string;
            }
        Returns: Database["api"]["CompositeTypes"]["webhook"];
      };
      dismiss_event: {
        Args:
          | {
              event_id: string;
              reason: string;
            }
        Returns: Database["api"]["CompositeTypes"]["event_receipt"];
      };
      enable_webhook: {
        Args:
          | {
              endpoint_id: string;
              reason: string;
            }
        Returns: Database["api"]["CompositeTypes"]["webhook"];
      };
      end_session: {
        Args:
          | {
              account_id: string;
              session_id: string;
              token_hash: string;
              everywhere?: boolean | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["sessions_ended"];
      };
      end_sessions: {
        Args:
          | {
              user_id?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["sessions_ended"];
      };
      explain_balance: {
        Args:
          | {
              at?: string | null | undefined;
              user_id?: string | null | undefined;
              movements?: Quantity | null | undefined;
              before_seq?: Quantity | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["balance_explanation"];
      };
      extend_hold: {
        Args:
          | {
              hold_id: string;
              ttl?: string | null | undefined;
              user_id?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["hold_receipt"];
      };
      find_credential: {
        Args:
          | {
              email: string;
            }
        Returns: Database["api"]["CompositeTypes"]["credential"];
      };
      finish_sign_in: {
        Args:
          | {
              email: string;
              network_keys: string[];
            }
        Returns: Database["api"]["CompositeTypes"]["admission"];
      };
      finish_webhook: {
        Args:
          | {
              account_id: string;
              notice_id: string;
              endpoint_id: string;
              lease: string;
              http_status?: Quantity | null | undefined;
              trouble?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["webhook_result"];
      };
      forget_user: {
        Args:
          | {
              user_id?: string | null | undefined;
              account_id?: string | null | undefined;
              give_up_balance?: boolean | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["forgotten_user"];
      };
      freeze_account: {
        Args:
          | {
              user_id: string;
              reason?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["account_standing"];
      };
      guest_allowance: {
        Args:
          | {
              device_keys: string[];
              network_keys: string[];
              shared_network?: boolean | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["guest_receipt"];
      };
      guest_consume: {
        Args:
          | {
              module_id: string;
              device_keys: string[];
              network_keys: string[];
              shared_network?: boolean | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["guest_receipt"];
      };
      hold_tokens: {
        Args:
          | {
              module_id: string;
              usage?: object | null | undefined;
              ttl?: string | null | undefined;
              idempotency_key?: string | null | undefined;
              user_id?: string | null | undefined;
              metadata?: object | null | undefined;
              tags?: object | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["hold_receipt"];
      };
      lift_spend_limit: {
        Args:
          | {
              period: string;
              user_id?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["spend_limit"];
      };
      maintain: {
        Args:
          | {
              max_accounts?: Quantity | null | undefined;
              max_keys?: Quantity | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["maintenance"];
      };
      missing_from_stripe: {
        Args:
          | {
            }
        Returns: Database["api"]["CompositeTypes"]["stripe_missing"];
      };
      note_stripe_page: {
        Args:
          | {
              list: string;
              items: object;
              has_more: boolean;
              after?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["stripe_page"];
      };
      offer_plan: {
        Args:
          | {
              plan_id: string;
              user_id?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["plan_offer"];
      };
      open_account: {
        Args:
          | {
              user_id?: string | null | undefined;
              referral_code?: string | null | undefined;
              device_keys?: string[] | null | undefined;
              network_keys?: string[] | null | undefined;
              shared_network?: boolean | null | undefined;
              email_verified?: boolean | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["account_receipt"];
      };
      open_session: {
        Args:
          | {
              email: string;
              password_hash: string;
            }
        Returns: Database["api"]["CompositeTypes"]["session"];
      };
      operating_figures: {
        Args:
          | {
            }
        Returns: Database["api"]["CompositeTypes"]["operating_figures"];
      };
      payment_customer: {
        Args:
          | {
              user_id?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["stripe_customer"];
      };
      quote_tokens: {
        Args:
          | {
              module_id: string;
              usage?: object | null | undefined;
              user_id?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["quote"];
      };
      read_stripe_list: {
        Args:
          | {
              list: string;
              since?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["stripe_reading"];
      };
      receipt: {
        Args:
          | {
              entry_id: string;
            }
        Returns: Database["api"]["CompositeTypes"]["entry_receipt"];
      };
      redeem_code: {
        Args:
          | {
              code: string;
              idempotency_key?: string | null | undefined;
              user_id?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["redemption_receipt"];
      };
      referral_code: {
        Args:
          | {
              user_id?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["referral_offer"];
      };
      refresh_session: {
        Args:
          | {
              account_id: string;
              session_id: string;
              token_hash: string;
            }
        Returns: Database["api"]["CompositeTypes"]["session"];
      };
      refund_usage: {
        Args:
          | {
              entry_id: string;
              tokens?: Quantity | null | undefined;
              reason?: string | null | undefined;
              idempotency_key?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["refund_receipt"];
      };
      register_webhook: {
        Args:
          | {
              url: string;
              kinds?: string[] | null | undefined;
              description?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["webhook"];
      };
      release_guest_use: {
        Args:
          | {
              use_id: string;
            }
        Returns: Database["api"]["CompositeTypes"]["guest_receipt"];
      };
      release_hold: {
        Args:
          | {
              hold_id: string;
              reason?: string | null | undefined;
              idempotency_key?: string | null | undefined;
              user_id?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["release_receipt"];
      };
      renew_webhook_secret: {
        Args:
          | {
              endpoint_id: string;
              reason: string;
            }
        Returns: Database["api"]["CompositeTypes"]["webhook"];
      };
      replay_event: {
        Args:
          | {
              event_id: string;
              reason: string;
            }
        Returns: Database["api"]["CompositeTypes"]["event_receipt"];
      };
      replay_from_stripe: {
        Args:
          | {
              event_id?: string | null | undefined;
              object_id?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["event_receipt"];
      };
      replay_webhook: {
        Args:
          | {
              endpoint_id: string;
              since: string;
              reason: string;
              delivered?: boolean | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["webhook_replay"];
      };
      report_failure: {
        Args:
          | {
              module_id: string;
              duration_ms?: Quantity | null | undefined;
              metadata?: object | null | undefined;
              user_id?: string | null | undefined;
              idempotency_key?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["failure_receipt"];
      };
      report_refusal: {
        Args:
          | {
              module_id: string;
              usage?: object | null | undefined;
              user_id?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["refusal_receipt"];
      };
      report_refused_capture: {
        Args:
          | {
              hold_id: string;
              usage?: object | null | undefined;
              user_id?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["refusal_receipt"];
      };
      report_stripe_call: {
        Args:
          | {
              account_id: string;
              call_id: string;
              lease: string;
              answer: object;
            }
        Returns: Database["api"]["CompositeTypes"]["stripe_report"];
      };
      request_refund: {
        Args:
          | {
              user_id: string;
              order_id: string;
              tokens?: Quantity | null | undefined;
              amount?: Quantity | null | undefined;
              reason?: string | null | undefined;
              idempotency_key?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["refund_request"];
      };
      reset_low_balance: {
        Args:
          | {
              user_id?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["low_balance"];
      };
      resolve_api_key: {
        Args:
          | {
              key_id: string;
              secret_hash: string;
            }
        Returns: Database["api"]["CompositeTypes"]["api_key_holder"];
      };
      restore_lot: {
        Args:
          | {
              entry_id: string;
              tokens?: Quantity | null | undefined;
              reason?: string | null | undefined;
              idempotency_key?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["lot_receipt"];
      };
      revoke_api_key: {
        Args:
          | {
              key_id: string;
              reason?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["api_key"];
      };
      rotate_api_key: {
        Args:
          | {
              key_id: string;
              overlap?: string | null | undefined;
              expires_at?: string | null | undefined;
              reason?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["api_key"];
      };
      set_auto_topup: {
        Args:
          | {
              threshold: Quantity;
              monthly_limit: Quantity;
              words: string;
              pack_id?: string | null | undefined;
              amount?: Quantity | null | undefined;
              payment_method_id?: string | null | undefined;
              user_id?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["auto_topup_receipt"];
      };
      set_low_balance: {
        Args:
          | {
              below?: Quantity | null | undefined;
              percent?: Quantity | null | undefined;
              user_id?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["low_balance"];
      };
      set_overdraft_limit: {
        Args:
          | {
              tokens: Quantity;
              user_id?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["overdraft"];
      };
      set_spend_limit: {
        Args:
          | {
              period: string;
              tokens: Quantity;
              user_id?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["spend_limit"];
      };
      set_test_clock: {
        Args:
          | {
              user_id: string;
              frozen_time?: string | null | undefined;
              advance?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["test_clock"];
      };
      sign_up: {
        Args:
          | {
              email: string;
              password_hash: string;
              referral_code?: string | null | undefined;
              device_keys?: string[] | null | undefined;
              network_keys?: string[] | null | undefined;
              shared_network?: boolean | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["newcomer"];
      };
      start_free_plan: {
        Args:
          | {
              user_id?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["free_plan_receipt"];
      };
      stop_auto_topup: {
        Args:
          | {
              user_id?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["auto_topup_receipt"];
      };
      take_webhooks: {
        Args:
          | {
              max_messages?: Quantity | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["webhook_batch"];
      };
      thaw_account: {
        Args:
          | {
              user_id: string;
              reason?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["account_standing"];
      };
      verify_email: {
        Args:
          | {
              email?: string | null | undefined;
              user_id?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["account_receipt"];
      };
      void_lot: {
        Args:
          | {
              lot_id: string;
              tokens?: Quantity | null | undefined;
              reason?: string | null | undefined;
              idempotency_key?: string | null | undefined;
            }
        Returns: Database["api"]["CompositeTypes"]["lot_receipt"];
      };
    };
    Enums: Record<never, never>;
    CompositeTypes: {
      /** An account: whether this call opened it, its balance, and whether somebody brought its user. welcome: the tokens that this call gave it. welcome_waits_for: verification (of the address), limit (of the device or network; until reset_at), or null. */
      account_receipt: {
        user_id: string | null;
        opened: boolean | null;
        balance: Numeric | null;
        referred: boolean | null;
        welcome: Numeric | null;
        welcome_waits_for: string | null;
        reset_at: string | null;
      };
      /** Whether an account is frozen, since when and why. replayed: it had this status already. */
      account_standing: {
        user_id: string | null;
        status: string | null;
        reason: string | null;
        changed_at: string | null;
        replayed: boolean | null;
      };
      /** How many notices were marked as delivered now. */
      acknowledgement: {
        notices: Numeric | null;
      };
      /** A sign-in that succeeded (user_id), or a sign-up that may continue, with the count of its network in the window that ends at reset_at. */
      admission: {
        user_id: string | null;
        attempts: Numeric | null;
        reset_at: string | null;
      };
      /** An API key. state: active, expired or revoked. expires_at: null means never. api_key: the text that a backend sends, only in the answer that made it. replayed: a repeated call made no other key, and does not show the text again. */
      api_key: {
        key_id: string | null;
        name: string | null;
        role: string | null;
        state: string | null;
        expires_at: string | null;
        api_key: string | null;
        replayed: boolean | null;
      };
      /** Whose an API key is: its role, and its state (active, replaced by a rotation, expired or revoked). Nulls: there is no such key. */
      api_key_holder: {
        key_id: string | null;
        role: string | null;
        state: string | null;
      };
      /** The answer of api.set_auto_topup and api.stop_auto_topup. */
      auto_topup_receipt: {
        user_id: string | null;
        account_id: string | null;
        state: string | null;
        reason: string | null;
        consent_id: string | null;
        threshold: Numeric | null;
        pack_id: string | null;
        tokens: Numeric | null;
        amount: Numeric | null;
        currency: string | null;
        monthly_limit: Numeric | null;
        stripe_customer_id: string | null;
      };
      /** Why a balance is what it is. balance: the number that api.balance shows. balance_posted: what the entries add up to. opening: the balance before the movements. holds: what is held, part of the balance. lots: the tokens that are there, and when they expire: they add up to balance + debt. before_seq: give it to the next call, which goes on with older movements; null when there are no older ones. With before_seq in the call, balance, held, holds and lots are null. */
      balance_explanation: {
        user_id: string | null;
        at: string | null;
        balance: Numeric | null;
        balance_posted: Numeric | null;
        debt: Numeric | null;
        held: Numeric | null;
        opening: Numeric | null;
        movements: Json;
        holds: Json;
        lots: Json;
        before_seq: Numeric | null;
      };
      /** What became of a batch. verdicts has one object for each item, in the same order: {"ok": true, …} with the answer of consume_tokens, or {"ok": false, "code": "PT402", "error": slug, "message", …} with the facts of the refusal. */
      batch_receipt: {
        accepted: Numeric | null;
        refused: Numeric | null;
        verdicts: Json;
      };
      /** A charge on a hold. cost = paid + shortfall. paid: the tokens of the entry. debt: the part of these that no lot paid. released: tokens that went back. held: tokens that the hold still keeps. price_source: whose price the hold keeps, module, category or default. refunded: how much of paid was given back; a repeated call shows it as it is now. */
      capture_receipt: {
        hold_id: string | null;
        entry_id: string | null;
        user_id: string | null;
        module_id: string | null;
        state: string | null;
        cost: Numeric | null;
        paid: Numeric | null;
        debt: Numeric | null;
        shortfall: Numeric | null;
        held: Numeric | null;
        released: Numeric | null;
        balance: Numeric | null;
        draws: Json;
        late: boolean | null;
        replayed: boolean | null;
        price_source: string | null;
        refunded: Numeric | null;
      };
      /** A sign-in of the embedded identity provider. */
      credential: {
        user_id: string | null;
        email: string | null;
        password_hash: string | null;
      };
      /** One entry explained. tokens = balance_after - balance_before. price: the version of the price and whose it is. parts: a line for each dimension, as in a quote, and how much of it was free (free_used). calculation: from the sum of the parts to the tokens of the entry. lots: what each lot gave (below zero) or got, and the purchase that it came from. purchase: the order of this entry. hold: the hold that it captured, and all captures of it. refunds_entry: the charge that this entry gives back. refunds: the refunds of this entry. Null where it does not apply. */
      entry_receipt: {
        entry_id: string | null;
        user_id: string | null;
        seq: Numeric | null;
        kind: string | null;
        what: string | null;
        posted_at: string | null;
        effective_at: string | null;
        tokens: Numeric | null;
        balance_before: Numeric | null;
        balance_after: Numeric | null;
        debt_before: Numeric | null;
        debt_after: Numeric | null;
        module_id: string | null;
        usage: Json;
        price: Json;
        parts: Json;
        calculation: Json;
        lots: Json;
        purchase: Json;
        hold: Json;
        refunds_entry: string | null;
        refunded: Numeric | null;
        refunds: Json;
        metadata: Json;
        previous_hash: string | null;
        hash: string | null;
        tags: Json;
      };
      /** What a Stripe event led to. */
      event_receipt: {
        event_id: string | null;
        type: string | null;
        outcome: string | null;
        order_id: string | null;
        entry_id: string | null;
      };
      /** A failed use that was recorded. */
      failure_receipt: {
        failure_id: string | null;
        user_id: string | null;
        module_id: string | null;
        failed_at: string | null;
        replayed: boolean | null;
      };
      /** A user who was forgotten. state: forgotten, or under_way while entries still have metadata. given_up: the balance that expired. sql_logins: logins of the user that an administrator must still drop. */
      forgotten_user: {
        account_id: string | null;
        state: string | null;
        given_up: Numeric | null;
        sql_logins: string[] | null;
        replayed: boolean | null;
      };
      /** The present period of the free plan. granted: whether its allowance was given. replayed: the account had the free plan already. */
      free_plan_receipt: {
        user_id: string | null;
        plan_id: string | null;
        allowance: Numeric | null;
        granted: boolean | null;
        period_starts_at: string | null;
        period_ends_at: string | null;
        balance: Numeric | null;
        replayed: boolean | null;
      };
      /** Tokens that came in, as a lot. */
      grant_receipt: {
        entry_id: string | null;
        user_id: string | null;
        lot_id: Numeric | null;
        tokens: Numeric | null;
        balance: Numeric | null;
        replayed: boolean | null;
      };
      /** A guest's use, and what is left. used and limit are those of the device or of its network, whichever has less left. reset_at: when remaining next grows; null while nothing is used. */
      guest_receipt: {
        use_id: string | null;
        module_id: string | null;
        state: string | null;
        used: Numeric | null;
        limit: Numeric | null;
        remaining: Numeric | null;
        reset_at: string | null;
        replayed: boolean | null;
      };
      /** Tokens that are held, the lots they are in, and what can be spent besides (available, as api.balance says it). price_source: module, category or default, whose price it is. */
      hold_receipt: {
        hold_id: string | null;
        user_id: string | null;
        module_id: string | null;
        state: string | null;
        held: Numeric | null;
        balance: Numeric | null;
        available: Numeric | null;
        draws: Json;
        expires_at: string | null;
        replayed: boolean | null;
        price_source: string | null;
      };
      /** A correction of a lot. entry_id: its entry. tokens: by how many tokens the lot changed. remaining, expires_at: of the lot now. balance: of the account after the entry. */
      lot_receipt: {
        entry_id: string | null;
        user_id: string | null;
        lot_id: Numeric | null;
        tokens: Numeric | null;
        remaining: Numeric | null;
        expires_at: string | null;
        balance: Numeric | null;
        replayed: boolean | null;
      };
      /** When a user is told that the balance is low: below a number of tokens, or a percentage of the last grant. threshold: how many tokens that is now. All are null when the rule of the bank applies and there is no such rule. */
      low_balance: {
        user_id: string | null;
        below: Numeric | null;
        percent: Numeric | null;
        threshold: Numeric | null;
      };
      /** How many accounts were brought up to date, how many idempotency keys were forgotten, how many Stripe events that had waited were applied, how many partitions of the ledger were made, and how much of other kinds was forgotten. */
      maintenance: {
        accounts: Numeric | null;
        keys: Numeric | null;
        events: Numeric | null;
        partitions: Numeric | null;
        forgotten: Numeric | null;
      };
      /** A user who has signed up: the user id, the address as it is stored, and what they were given. password_hash is null: it is stored, but not returned. welcome_waits_for: verification (of the address), limit (of the device or network; until reset_at), or null. */
      newcomer: {
        user_id: string | null;
        email: string | null;
        password_hash: string | null;
        welcome: Numeric | null;
        welcome_waits_for: string | null;
        reset_at: string | null;
      };
      /** What waits in the bank and for how long, and how the last audit ended. Ages are seconds. */
      operating_figures: {
        notices_waiting: Numeric | null;
        notices_age: Numeric | null;
        messages_due: Numeric | null;
        messages_age: Numeric | null;
        events_waiting: Numeric | null;
        events_age: Numeric | null;
        audit_age: Numeric | null;
        audit_checks: Numeric | null;
        audit_findings: Numeric | null;
      };
      /** A purchase and its state. amount is in minor units of the currency. */
      order_receipt: {
        order_id: string | null;
        account_id: string | null;
        user_id: string | null;
        pack_id: string | null;
        package_name: string | null;
        module_id: string | null;
        tokens: Numeric | null;
        bonus_tokens: Numeric | null;
        amount: Numeric | null;
        currency: string | null;
        state: string | null;
        stripe_price_id: string | null;
        stripe_customer_id: string | null;
        checkout_session_id: string | null;
        replayed: boolean | null;
        scope: string | null;
        kind: string | null;
      };
      /** How far captures may take an account into debt, and how much debt it has. */
      overdraft: {
        user_id: string | null;
        tokens: Numeric | null;
        debt: Numeric | null;
      };
      /** The terms on which an account can subscribe to a plan now. interval, interval_count: a period is so many months or years. amount: minor units of currency for each period. trial_days: the length of the free trial, 0 without one. stripe_price_id: the price at Stripe, if one is configured. */
      plan_offer: {
        user_id: string | null;
        account_id: string | null;
        plan_id: string | null;
        version: Numeric | null;
        title: string | null;
        allowance: Numeric | null;
        interval: string | null;
        interval_count: Numeric | null;
        amount: Numeric | null;
        currency: string | null;
        trial_days: Numeric | null;
        stripe_price_id: string | null;
        stripe_customer_id: string | null;
      };
      /** What a use would cost now. available: tokens that may be spent on this module. affordable: how much they pay for; null when it is free. price_source: module, category or default, whose price it is. */
      quote: {
        module_id: string | null;
        cost: Numeric | null;
        balance: Numeric | null;
        available: Numeric | null;
        sufficient: boolean | null;
        affordable: Numeric | null;
        price_id: Numeric | null;
        parts: Json;
        price_source: string | null;
      };
      /** What a code gave. A promotion gives its tokens at once. A referral gives none yet (entry_id is null): they come with the first purchase. */
      redemption_receipt: {
        code: string | null;
        kind: string | null;
        campaign_id: string | null;
        title: string | null;
        entry_id: string | null;
        user_id: string | null;
        lot_id: Numeric | null;
        tokens: Numeric | null;
        balance: Numeric | null;
        expires_at: string | null;
        replayed: boolean | null;
      };
      /** A user's own code, and what the first purchase of somebody who uses it gives: tokens to the user, referee_tokens to the buyer. */
      referral_offer: {
        user_id: string | null;
        code: string | null;
        campaign_id: string | null;
        title: string | null;
        tokens: Numeric | null;
        referee_tokens: Numeric | null;
      };
      /** A charge that was undone, or a part of it. charge_id: its entry. draws: the lots that tokens went back into. expired: how many of these expired at once, because the date of their lot had passed. balance: after that. */
      refund_receipt: {
        entry_id: string | null;
        user_id: string | null;
        charge_id: string | null;
        tokens: Numeric | null;
        expired: Numeric | null;
        balance: Numeric | null;
        draws: Json;
        replayed: boolean | null;
      };
      /** The answer of api.request_refund. */
      refund_request: {
        request_id: string | null;
        order_id: string | null;
        user_id: string | null;
        state: string | null;
        tokens: Numeric | null;
        amount: Numeric | null;
        currency: string | null;
        replayed: boolean | null;
      };
      /** Whether the tokens of a user do not cover a use of a module. */
      refusal_receipt: {
        user_id: string | null;
        module_id: string | null;
        depleted: boolean | null;
      };
      /** A hold that has ended: the tokens that went back, and those charged before. */
      release_receipt: {
        hold_id: string | null;
        user_id: string | null;
        module_id: string | null;
        state: string | null;
        released: Numeric | null;
        captured: Numeric | null;
        replayed: boolean | null;
      };
      /** A session of a user who signed in here. state: active, ended or expired, or null when there is no such session. refresh_token: refreshes it once, only in the answer that made it. expires_at: when it ends if it is not refreshed. */
      session: {
        user_id: string | null;
        state: string | null;
        refresh_token: string | null;
        expires_at: string | null;
      };
      /** How many sessions of a user were ended. */
      sessions_ended: {
        user_id: string | null;
        ended: Numeric | null;
      };
      /** A shortfall that was settled or written off. */
      shortfall_receipt: {
        shortfall_id: string | null;
        user_id: string | null;
        tokens: Numeric | null;
        state: string | null;
        replayed: boolean | null;
      };
      /** What may be spent in a period, and what has been spent. tokens is null when there is no limit. */
      spend_limit: {
        user_id: string | null;
        period: string | null;
        set_by: string | null;
        tokens: Numeric | null;
        spent: Numeric | null;
        remaining: Numeric | null;
        resets_at: string | null;
      };
      /** A charge: the entry, what it cost, the balance after it, and the lots it was taken from. price_source: module, category or default, whose price it is. refunded: how much of the cost was given back; a repeated call shows it as it is now. */
      spend_receipt: {
        entry_id: string | null;
        user_id: string | null;
        module_id: string | null;
        cost: Numeric | null;
        balance: Numeric | null;
        draws: Json;
        replayed: boolean | null;
        price_source: string | null;
        refunded: Numeric | null;
      };
      /** The answer of api.claim_stripe_calls: the calls to Stripe that a worker is to make. */
      stripe_calls: {
        calls: Json;
      };
      /** Who an account is at Stripe. */
      stripe_customer: {
        user_id: string | null;
        account_id: string | null;
        stripe_customer_id: string | null;
      };
      /** What the bank lacks: ids of events that it did not get, and of objects that its books do not agree with. */
      stripe_missing: {
        events: string[] | null;
        objects: string[] | null;
      };
      /** What was read: how many objects; how many events the bank did not have; whether the list is finished. */
      stripe_page: {
        list: string | null;
        objects: Numeric | null;
        missed: Numeric | null;
        finished: boolean | null;
      };
      /** What to ask Stripe for next: the path of a list; created since (seconds since 1970; null: from the beginning); after which object (null: the first page). */
      stripe_reading: {
        list: string | null;
        path: string | null;
        since: Numeric | null;
        after: string | null;
      };
      /** The answer of api.report_stripe_call. */
      stripe_report: {
        call_id: string | null;
        state: string | null;
        due_at: string | null;
      };
      /** The time on the test clock of an account. */
      test_clock: {
        user_id: string | null;
        frozen_time: string | null;
      };
      /** An endpoint: its address, the kinds of notices that it gets (null: all), and its state (enabled or disabled, and why). secret is there only in the answer that made it. */
      webhook: {
        endpoint_id: string | null;
        url: string | null;
        kinds: string[] | null;
        description: string | null;
        state: string | null;
        reason: string | null;
        secret: string | null;
      };
      /** Messages that a worker has taken to send. */
      webhook_batch: {
        messages: Json;
      };
      /** How many messages were put in the queue of an endpoint. */
      webhook_replay: {
        endpoint_id: string | null;
        messages: Numeric | null;
      };
      /** What became of a message: its state, when it is sent again, and the state of its endpoint. */
      webhook_result: {
        state: string | null;
        due_at: string | null;
        endpoint_state: string | null;
      };
    };
  };
}

/** Functions that take an idempotency key: a call with one counts once. */
export const KEYED: ReadonlySet<string> = new Set([
  "add_package",
  "add_tokens",
  "capture_hold",
  "change_expiry",
  "consume_call",
  "consume_tokens",
  "create_api_key",
  "create_order",
  "hold_tokens",
  "redeem_code",
  "refund_usage",
  "release_hold",
  "report_failure",
  "request_refund",
  "restore_lot",
  "void_lot",
]);

/** Functions that change nothing. */
export const READING: ReadonlySet<string> = new Set([
  "explain_balance",
  "find_credential",
  "guest_allowance",
  "operating_figures",
  "payment_customer",
  "quote_tokens",
  "receipt",
]);
